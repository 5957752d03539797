// Compiles the AssemblyScript kernels to dist/. Those of the CPU executor become a plain and a relaxed-SIMD module. Skips
// what is already newer than its sources.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const force = process.argv.includes('--force');
const relaxed = ['--enable', 'relaxed-simd'];
const executor = { entry: 'core/executors/cpu/kernels.wasm.ts', folders: ['core/ops', 'core/executors/cpu'] };
const modules = [
  { ...executor, target: 'dist/core/executors/cpu/kernels.plain.wasm', features: [] },
  { ...executor, target: 'dist/core/executors/cpu/kernels.relaxed.wasm', features: relaxed },
  { entry: 'core/video/rows.wasm.ts', folders: ['core/video'], target: 'dist/core/video/rows.wasm', features: [] },
];

for (const { entry, folders, target, features } of modules) {
  const sources = folders
    .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name))))
    .filter((name) => name.endsWith('.wasm.ts'));
  sources.push('tools/build-kernels.mjs', 'package.json');
  const newest = Math.max(...sources.map((name) => statSync(name).mtimeMs));
  if (!force && (statSync(target, { throwIfNoEntry: false })?.mtimeMs ?? 0) > newest) continue;
  mkdirSync(dirname(target), { recursive: true });
  const { status } = spawnSync(
    process.execPath,
    [
      'node_modules/assemblyscript/bin/asc.js',
      entry,
      '--outFile',
      target,
      '--optimizeLevel',
      '3',
      '--shrinkLevel',
      '0',
      '--noAssert',
      '--runtime',
      'stub',
      '--enable',
      'simd',
      '--enable',
      'threads',
      '--enable',
      'bulk-memory',
      ...features,
      '--importMemory',
      '--sharedMemory',
      '--initialMemory',
      '1',
      '--maximumMemory',
      '65536',
    ],
    { stdio: 'inherit' },
  );
  if (status !== 0) process.exit(status ?? 1);
}

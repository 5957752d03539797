// Compiles the AssemblyScript kernels to dist/. Each entry becomes a plain and a relaxed-SIMD module. Skips what
// is already newer than its sources.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const force = process.argv.includes('--force');
const relaxed = ['--enable', 'relaxed-simd'];
const threads = ['--enable', 'threads', '--sharedMemory'];
const entries = [
  { entry: 'core/executors/cpu/kernels.wasm.ts', folders: ['core/ops', 'core/executors/cpu'], options: threads },
  // Of one thread, whose copies into memory and out of it are faster than those of shared memory.
  { entry: 'core/video/rows.wasm.ts', folders: ['core/video'], options: [] },
];
const modules = entries.flatMap(({ entry, folders, options }) => {
  const target = (build) => `dist/${entry.replace('.wasm.ts', `.${build}.wasm`)}`;
  return [
    { entry, folders, target: target('plain'), options },
    { entry, folders, target: target('relaxed'), options: [...options, ...relaxed] },
  ];
});

for (const { entry, folders, target, options } of modules) {
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
      'bulk-memory',
      ...options,
      '--importMemory',
      '--initialMemory',
      '1',
      '--maximumMemory',
      '65536',
    ],
    { stdio: 'inherit' },
  );
  if (status !== 0) process.exit(status ?? 1);
}

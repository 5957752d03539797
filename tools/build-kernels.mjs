// Compiles the AssemblyScript kernels to dist/: a plain and a relaxed-SIMD module. Skips what is already newer than its sources.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const entry = 'core/executors/cpu/kernels.wasm.ts';
const out = 'dist/core/executors/cpu';
const force = process.argv.includes('--force');

const sources = ['core/ops', 'core/executors/cpu']
  .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name))))
  .filter((name) => name.endsWith('.wasm.ts'));
sources.push('tools/build-kernels.mjs', 'package.json');
const newest = Math.max(...sources.map((name) => statSync(name).mtimeMs));

mkdirSync(out, { recursive: true });
for (const build of ['plain', 'relaxed']) {
  const target = `${out}/kernels.${build}.wasm`;
  if (!force && (statSync(target, { throwIfNoEntry: false })?.mtimeMs ?? 0) > newest) continue;
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
      ...(build === 'relaxed' ? ['--enable', 'relaxed-simd'] : []),
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

// Builds dist/: the WebAssembly kernels, modules of the WGSL kernels, then the TypeScript. With --clean from nothing, so
// that no stale file ships.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

const node = (script, ...args) => {
  const { status } = spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};
if (process.argv.includes('--clean')) rmSync('dist', { recursive: true, force: true });
node('tools/build-kernels.mjs');
node('tools/embed-wgsl.mjs');
node('node_modules/typescript/bin/tsc', '-p', '.');

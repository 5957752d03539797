// Builds dist/: the WebAssembly kernels, then the TypeScript.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const node = (script, ...args) => {
  const { status } = spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};
if (existsSync('tools/build-kernels.mjs')) node('tools/build-kernels.mjs');
node('node_modules/typescript/bin/tsc', '-p', '.');

// Runs a script after whatever set-up it lacks: dependencies, then a build. Needs Node and npm, nothing else.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const run = (command, args) => {
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) process.exit(status ?? 1);
};
const [script, ...args] = process.argv.slice(2);
if (!existsSync('node_modules/.package-lock.json')) run('npm', ['ci', '--no-fund', '--no-audit']);
run(process.execPath, ['tools/build.mjs']);
run(process.execPath, [script, ...args]);

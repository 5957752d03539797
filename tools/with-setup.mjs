// Runs a script after whatever set-up it lacks: dependencies, then a build. Needs Node and npm, nothing else.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const run = (command, args) => {
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) process.exit(status ?? 1);
};
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** npm writes its own list last, so an installation that broke off lacks it; versions in package.json are exact. */
function isInstalled() {
  const { dependencies, devDependencies } = readJson('package.json');
  return (
    existsSync('node_modules/.package-lock.json') &&
    Object.entries({ ...dependencies, ...devDependencies }).every(([name, version]) => {
      const path = `node_modules/${name}/package.json`;
      return existsSync(path) && readJson(path).version === version;
    })
  );
}

const [script, ...args] = process.argv.slice(2);
if (!isInstalled()) run('npm', ['ci', '--no-fund', '--no-audit']);
run(process.execPath, ['tools/build.mjs']);
run(process.execPath, [script, ...args]);

// Runs jest on the built files; arguments are jest's.
import { spawnSync } from 'node:child_process';

const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, jest, { stdio: 'inherit' }).status ?? 1);

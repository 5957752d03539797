// `npm run bench -- NAME …` runs bench/NAME.ts; without a name, tells which there are.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const names = readdirSync('dist/bench')
  .filter((name) => /^[a-z-]+\.js$/.test(name))
  .map((name) => name.slice(0, -3));
const [name, ...args] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  console.log(`The reference job: mambair bench. Benchmarks of parts: npm run bench -- ${names.join(' | ')}`);
  process.exit(name === undefined ? 0 : 2);
}
process.exit(spawnSync(process.execPath, [`dist/bench/${name}.js`, ...args], { stdio: 'inherit' }).status ?? 1);

// Compiles the kernels anew and compares them with those in dist/: the same sources give the same bytes.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

const folder = 'dist/core/executors/cpu';
const digests = () =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name.endsWith('.wasm'))
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(`${folder}/${name}`))
          .digest('hex'),
      ]),
  );

const before = digests();
const { status } = spawnSync(process.execPath, ['tools/build-kernels.mjs', '--force'], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
const after = digests();
for (const [name, digest] of Object.entries(after)) {
  const isSame = before[name] === digest;
  console.log(`${name}: ${isSame ? digest : `was ${before[name] ?? 'missing'}, now ${digest}`}`);
  if (!isSame) process.exitCode = 1;
}
if (Object.keys(after).length === 0) {
  throw new Error(`expected kernels in ${folder}, found none; run: npm run build`);
}

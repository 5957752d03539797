// Writes a module beside every .wgsl file that holds its text, so that Node, tests and bundles import it alike.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

for (const folder of ['core/ops', 'core/executors/webgpu', 'bench']) {
  for (const name of readdirSync(folder, { recursive: true })) {
    const path = join(folder, String(name));
    if (!path.endsWith('.wgsl')) continue;
    const target = `${path}.gen.ts`;
    const text = `/** Text of ${path.split('/').at(-1)}. */\nexport const source: string = ${JSON.stringify(readFileSync(path, 'utf8'))};\n`;
    // An unchanged file keeps its time, so that an incremental build has nothing to do.
    if (statSync(target, { throwIfNoEntry: false }) && readFileSync(target, 'utf8') === text) continue;
    writeFileSync(target, text);
  }
}

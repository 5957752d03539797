// Prints a markdown table for docs/hostile-files.md: what comes of each class of hostile image file, with the longest
// time of one file and the memory that the class took at most. Run after a build.
import { readFileSync, writeFileSync } from 'node:fs';
import { readImage } from '../dist/core/image/read-image.js';
import { hostileImages } from '../dist/test/hostile-images.js';

/** A field of /proc/self/status in MB; undefined where there is no such file. */
const memory = (field) => {
  try {
    return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
  } catch {
    return undefined;
  }
};

/** Makes the kernel forget the peak so far. */
const resetPeak = () => {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // other systems: the column stays empty
  }
};

console.log('| images | files | result | longest | memory |\n|---|---|---|---|---|');
const classes = await hostileImages({ includeLarge: true });
let failures = 0;
for (const { name, outcome, files } of classes) {
  const results = new Map();
  let longest = 0;
  globalThis.gc?.();
  resetPeak();
  const before = memory('VmRSS');
  for (const file of files) {
    const started = performance.now();
    const result = await readImage(file, { name }).then(
      ({ warnings }) => (warnings.length === 0 ? 'loaded' : `loaded, warning \`${warnings[0].code}\``),
      (error) => `\`${error.code}\``,
    );
    longest = Math.max(longest, performance.now() - started);
    results.set(result, (results.get(result) ?? 0) + 1);
    failures += result.startsWith('`MAMBAIR_') || outcome !== 'refuse' ? 0 : 1;
  }
  const peak = memory('VmHWM');
  const counted = [...results]
    .map(([result, count]) => (results.size === 1 ? result : `${count} × ${result}`))
    .join(', ');
  const used = before === undefined ? '' : `${Math.max(0, Math.ceil(peak - before))} MB`;
  console.log(`| ${name} | ${files.length} | ${counted} | ${Math.ceil(longest)} ms | ${used} |`);
}
process.exitCode = failures === 0 ? 0 : 1;

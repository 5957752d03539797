// Prints how the checkpoint readers meet the hostile files of ../shared/golden/pth-hostile, as a table by class of file.
// Needs a build. Each class runs in a process of its own, whose peak memory is then its own.
// `node tools/hostile-table.mjs`; with the name of a class it prints that class's figures as JSON.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = resolve('../shared/golden/pth-hostile');
if (!existsSync(folder)) {
  console.error(`the hostile files are not here: ${folder}`);
  process.exit(2);
}
const { files, limits } = JSON.parse(readFileSync(`${folder}/pth-hostile.json`, 'utf8'));

const classes = {
  exec: 'a pickle that calls functions',
  bomb: 'a small pickle that unfolds to more than memory',
  memo: 'memo slots unwritten, or far apart',
  stack: 'stack underflow, marks left open',
  pickle: 'lying lengths, deep nesting, wrong keys, text opcodes',
  pid: 'malformed storage references',
  storage: 'storages missing, too short, of two types, with impossible counts',
  tensor: 'views out of bounds, negative, overflowing, of wrong types',
  parameter: 'a parameter around something else',
  params: 'groups that are no map of tensors',
  zip: 'archives: truncated, damaged, overlapping, encrypted, bombs, lying directories',
  legacy: 'the older format: wrong magic, version, counts, keys',
  file: 'no checkpoint at all: empty, text, web page, image, pointer, gzip',
  st: 'safetensors: lying lengths, duplicates, nesting, overlaps, holes, bad numbers',
};
const ofClass = (name) => files.filter(({ file }) => file.startsWith(`${name}-`));

async function measure(name) {
  const { parseCheckpoint } = await import('../dist/core/checkpoint/read-checkpoint.js');
  const { encodeSafetensors } = await import('../dist/core/tensor/safetensors.js');
  parseCheckpoint(encodeSafetensors(new Map()), 'warm-up');
  const prototype = Object.getOwnPropertyNames(Object.prototype).join();
  const contents = ofClass(name).map((entry) => ({ ...entry, bytes: readFileSync(`${folder}/${entry.file}`) }));
  const result = { files: contents.length, refused: 0, codes: {}, unexpected: [], slowestMs: 0, extraMiB: 0 };
  const before = process.resourceUsage().maxRSS;
  for (const { file, bytes, outcome, error_classes: accepted } of contents) {
    const start = performance.now();
    let code = 'loaded';
    try {
      parseCheckpoint(bytes, file);
    } catch (error) {
      code = String(error.code ?? error);
      result.refused += 1;
      result.codes[code] = (result.codes[code] ?? 0) + 1;
    }
    result.slowestMs = Math.max(result.slowestMs, performance.now() - start);
    const isAccepted = code === 'loaded' ? outcome !== 'refuse' : accepted.some((word) => code === `MAMBAIR_${word}`);
    if (!isAccepted || Object.getOwnPropertyNames(Object.prototype).join() !== prototype) {
      result.unexpected.push(`${file}: ${code}`);
    }
  }
  result.extraMiB = (process.resourceUsage().maxRSS - before) / 1024;
  return result;
}

function printTable() {
  console.log('| class | files | refused | loaded | errors (`MAMBAIR_`…) | slowest, ms | extra memory, MiB |');
  console.log('|---|---:|---:|---:|---|---:|---:|');
  const unexpected = [];
  for (const [name, meaning] of Object.entries(classes)) {
    const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), name], { encoding: 'utf8' });
    if (child.status !== 0) {
      throw new Error(`${name}: ${child.stderr}`);
    }
    const result = JSON.parse(child.stdout);
    const codes = Object.entries(result.codes).map(([code, count]) => `${code.replace('MAMBAIR_', '')} ${count}`);
    const { slowestMs, extraMiB } = result;
    console.log(
      `| \`${name}-\` ${meaning} | ${result.files} | ${result.refused} | ${result.files - result.refused} ` +
        `| ${codes.join(', ')} | ${slowestMs.toFixed(1)} | ${extraMiB.toFixed(1)} |`,
    );
    const isOver = slowestMs > 1000 * limits.seconds_per_file || extraMiB > limits.extra_resident_memory_MiB;
    unexpected.push(...result.unexpected, ...(isOver ? [`${name}: over the limits`] : []));
  }
  const unclassed = files.filter(({ file }) => !(file.split('-')[0] in classes)).map(({ file }) => file);
  unexpected.push(...unclassed.map((file) => `${file}: in no class`));
  console.log(`\n${files.length} files; outcomes that were not expected: ${unexpected.join(', ') || 'none'}`);
  process.exitCode = unexpected.length === 0 ? 0 : 1;
}

const [name] = process.argv.slice(2);
if (name === undefined) {
  printTable();
} else {
  console.log(JSON.stringify(await measure(name)));
}

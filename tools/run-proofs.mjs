// Runs proofs one after the other, and keeps what each prints in a folder, with how long it took.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { performance } from 'node:perf_hooks';

/**
 * `TOOL FOLDER [name…]`, where `proofsOf(FOLDER)` gives for each name what is shown and the commands that show it, run in turn.
 * A command begins with its program; `node` is this one's. Exits with 1 unless all of them end with 0.
 */
export async function runProofs(proofsOf) {
  const [folder, ...wanted] = process.argv.slice(2);
  const proofs = proofsOf(folder ?? '');
  if (folder === undefined || wanted.some((name) => !Object.hasOwn(proofs, name))) {
    const tool = basename(process.argv[1]);
    console.error(`usage: node tools/${tool} FOLDER [${Object.keys(proofs).join(' | ')}]…`);
    process.exit(2);
  }
  mkdirSync(folder, { recursive: true });
  const rows = [];
  for (const [name, [what, ...commands]] of Object.entries(proofs)) {
    if (wanted.length > 0 && !wanted.includes(name)) {
      continue;
    }
    const file = join(folder, `${name}.md`);
    const kept = createWriteStream(file);
    console.log(`\n## ${name}: ${what}`);
    const began = performance.now();
    let end = 0;
    for (const command of commands) {
      const heading = `\n\`${command.join(' ')}\`\n\n`;
      process.stdout.write(heading);
      kept.write(heading);
      end = (await run(command, kept)) || end;
    }
    await new Promise((resolve) => kept.end(resolve));
    rows.push({ name, what, end, file, seconds: Math.round((performance.now() - began) / 1000) });
  }
  const parts = rows.map(
    ({ name, what, end, file, seconds }) =>
      `## ${name}: ${what}\n\nExit ${end}, ${seconds} s.\n${readFileSync(file, 'utf8')}`,
  );
  writeFileSync(join(folder, 'proofs.md'), parts.join('\n'));
  console.log('\n| proof | exit | seconds |\n|---|---:|---:|');
  for (const { name, end, seconds } of rows) {
    console.log(`| ${name} | ${end} | ${seconds} |`);
  }
  process.exitCode = rows.every(({ end }) => end === 0) ? 0 : 1;
}

/** Runs a command; its output comes here and to `kept`. Gives its exit code. */
function run([program, ...words], kept) {
  return new Promise((resolve) => {
    const path = program === 'node' ? process.execPath : program;
    const child = spawn(path, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.pipe(process.stdout, { end: false });
    child.stdout.pipe(kept, { end: false });
    child.once('error', (error) => {
      kept.write(`${error.message}\n`);
      resolve(127);
    });
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
}

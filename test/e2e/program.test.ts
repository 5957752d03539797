import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { commands } from '../../cli/commands.js';
import { commonOptions } from '../../cli/command.js';
import { mambair, runWith, start, workFolder, writeModel, writePicture } from './run.js';

const at = workFolder();

beforeAll(async () => {
  await Promise.all([
    writePicture(at('large.png'), 700, 700),
    writeModel(at('x2.safetensors'), { embedDim: 32, dInner: 32, ffnDim: 32, depths: [6, 6], numHeads: [2, 2] }),
  ]);
});

/** Runs the real program to its end. */
async function program(args: readonly string[], stop?: NodeJS.Signals) {
  const child = start(args);
  let stdout = '';
  let stderr = '';
  let asked = 0;
  child.stderr?.on('data', (text) => (stderr += String(text)));
  child.stdout?.on('data', (text) => {
    stdout += String(text);
    if (stop !== undefined && asked === 0 && stdout.includes('"progress"')) {
      asked = performance.now();
      child.kill(stop);
    }
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, stdout, stderr, tookMs: performance.now() - asked };
}

describe('the program', () => {
  it('says what it is', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    expect(await program(['--version'])).toMatchObject({ exitCode: 0, stdout: `mambair ${version}\n` });
    expect(await mambair('restore', '--version')).toMatchObject({ exitCode: 0, stdout: `mambair ${version}\n` });
  });

  it.each([[['--help']], [['-h']], [['help']], [['models', '--help']]])('helps with %j', async (args) => {
    const run = await mambair(...args);
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toContain('models pull');
  });

  it.each(commands.map(({ name, options }) => [name, options] as const))('helps with %s', async (name, options) => {
    const { exitCode, stdout } = await mambair(...name.split(' '), '--help');
    expect(exitCode).toBe(0);
    for (const option of [...Object.keys(options), ...Object.keys(commonOptions)]) {
      expect(stdout).toContain(`--${option}`);
    }
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it.each([
    [[], ''],
    [['restroe'], 'mambair restore'],
    [['model', 'list'], 'mambair models list'],
    [['models'], 'models list, models info'],
    [['--nonsense'], '--help'],
  ])('ends with 2 for %j', async (args, hint) => {
    const run = await mambair(...args);
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain(hint);
  });

  it('shows where an error comes from only when asked', async () => {
    const args = ['models', 'info', at('none.pth')];
    expect((await runWith({ debug: true }, args)).stderr).toContain('\n    at ');
    expect((await mambair(...args)).stderr).not.toContain('\n    at ');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('stops on %s within a second and leaves no partial file', async (signal) => {
    const args = ['restore', at('large.png'), '-o', at('out.png'), '-m', at('x2.safetensors'), '--json'];
    const { exitCode, tookMs } = await program([...args, '--tile', '64'], signal);
    expect(exitCode).toBe(130);
    expect(tookMs).toBeLessThan(2000);
    // `home` is where the program keeps what it knows of devices.
    const left = (await readdir(at('.'))).filter((name) => name !== 'home');
    const notes = await readdir(at('home')).catch(() => []);
    expect(notes.filter((name) => name !== 'gpus.json')).toEqual([]);
    expect(left.sort()).toEqual(['large.png', 'x2.safetensors']);
  });
});

describe('the tests', () => {
  it('use every option of every command', async () => {
    const folder = 'test/e2e';
    const names = (await readdir(folder)).filter((name) => name.endsWith('.test.ts'));
    const sources = (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('\n');
    const used = (command: string, option: string): boolean =>
      sources.includes(`'--${option}'`) && sources.includes(`'${command.split(' ').at(-1)}'`);
    const missing = commands.flatMap(({ name, options }) =>
      Object.keys(options)
        .filter((option) => !used(name, option) && !used(name, options[option]?.short ?? ''))
        .map((option) => `${name} --${option}`),
    );
    expect(missing).toEqual([]);
  });
});

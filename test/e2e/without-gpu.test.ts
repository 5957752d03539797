import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeModel, writePicture } from './run.js';

/** An installation of links, whose package `webgpu` is what a test makes of it. */
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mambair-without-'));
  await mkdir(join(folder, 'node_modules'));
  const packages = await readdir('node_modules');
  const links = [...['bin', 'dist', 'models', 'package.json'], ...packages.map((name) => `node_modules/${name}`)];
  for (const name of links.filter((each) => each !== 'node_modules/webgpu')) {
    await symlink(resolve(name), join(folder, name));
  }
  await writePicture(join(folder, 'in.png'), 16, 12);
  await writeModel(join(folder, 'x2.safetensors'));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(...args: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const environment = {
    ...process.env,
    // Links are not followed, so that packages are looked for in the folder that has no webgpu.
    NODE_OPTIONS: '--preserve-symlinks --preserve-symlinks-main --no-warnings',
    NODE_PATH: '',
    MAMBAIR_HOME: join(folder, 'home'),
  };
  try {
    const all = [join(folder, 'bin/mambair.js'), ...args];
    return { exitCode: 0, ...(await promisify(execFile)(process.execPath, all, { env: environment })) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { exitCode: code, stdout, stderr };
  }
}

/** What the package `webgpu` may be on somebody's system. */
const packages = {
  'is not installed': undefined,
  'has no binary for the system': 'throw new Error("Cannot find module \'dist/plan9-mips/dawn.node\'");',
  'brings a driver that crashes': 'process.kill(process.pid, "SIGSEGV");',
} as const;

describe.each(Object.entries(packages))('where the package webgpu %s', (_, source) => {
  beforeAll(async () => {
    await rm(join(folder, 'home'), { recursive: true, force: true });
    await rm(join(folder, 'node_modules/webgpu'), { recursive: true, force: true });
    if (source !== undefined) {
      await mkdir(join(folder, 'node_modules/webgpu'));
      await writeFile(join(folder, 'node_modules/webgpu/package.json'), '{"version":"0.0.1","main":"index.cjs"}');
      await writeFile(join(folder, 'node_modules/webgpu/index.cjs'), source);
    }
  });

  it('everything else works, and doctor says why there is no GPU', async () => {
    const [input, output] = [join(folder, 'in.png'), join(folder, 'out.png')];
    const restored = await run(
      'restore',
      input,
      '-m',
      join(folder, 'x2.safetensors'),
      '-o',
      output,
      '--overwrite',
      '--json',
    );
    expect(restored).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(restored.stdout.split('\n').at(-3) ?? '')).toMatchObject({ device: 'cpu', warnings: [] });
    const doctor = await run('doctor', '--quick', '--json');
    expect(doctor.exitCode).toBe(0);
    const machine = JSON.parse(doctor.stdout) as Record<string, unknown>;
    expect(machine).toMatchObject({ gpus: [], gpuProblem: expect.any(String), auto: { device: 'cpu' } });
  });

  it('asking for a GPU ends with 6 and says what to do', async () => {
    const asked = await run('restore', join(folder, 'in.png'), '-o', join(folder, 'gpu.png'), '--device', 'webgpu');
    expect(asked.exitCode).toBe(6);
    expect(asked.stderr).toMatch(/GPU/);
  });
});

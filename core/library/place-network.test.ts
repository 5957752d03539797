import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeWithGpu, gpuTestMs } from '../../test/gpu.js';
import { randomCheckpoint, smallConfig } from '../../test/random-network.js';
import { recognise } from '../architectures/architectures.js';
import { MambairError } from '../errors.js';
import { createCpuExecutor } from '../executors/cpu/cpu-executor.js';
import type { Executor, Network, RunResult } from '../executors/executor.js';
import type { GpuReport, GpuReports } from './describe-gpus.js';
import { chooseGpu } from './choose-gpu.js';
import { GpuNotes } from './gpu-notes.js';
import { type GpuMachine, placeNetwork, thisMachine } from './place-network.js';

const tensors = randomCheckpoint(smallConfig, 1);
const { graph } = recognise(tensors);

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mambair-place-'));
});
afterAll(() => rm(folder, { recursive: true }));

function report(name: string, kind: GpuReport['kind'], index = 0): GpuReport {
  return {
    device: `webgpu:${index}`,
    index,
    name,
    backend: 'vulkan',
    driver: `vulkan, driver of ${name}`,
    description: `WebGPU on ${name}`,
    kind,
    isSoftware: kind === 'software',
    largestBufferBytes: 2 ** 30,
    workgroupBytes: 2 ** 15,
    workgroupInvocations: 256,
    float16: false,
    subgroups: false,
    features: [],
  };
}

const card = report('a card', 'discrete', 1);
const software = report('SwiftShader', 'software');

/** How the GPU of a test goes wrong. */
type Fault = 'none' | 'wrong' | 'nan' | 'unsteady' | 'slow' | 'lost' | 'full' | 'closed';

/** A GPU that is the CPU, but quicker: what it has computed once it knows. */
async function fakeGpu(fault: Fault, description: string): Promise<Executor> {
  if (fault === 'closed') {
    throw new MambairError('MAMBAIR_DEVICE_UNAVAILABLE', 'the driver ended');
  }
  const cpu = await createCpuExecutor({ threads: 1 });
  return {
    name: 'webgpu',
    description,
    dispose: () => cpu.dispose(),
    async load(...args) {
      const network = await cpu.load(...args);
      let known: RunResult | undefined;
      const run: Network['run'] = async (input, options) => {
        if (fault === 'lost' || fault === 'full') {
          throw new MambairError(fault === 'lost' ? 'MAMBAIR_DEVICE_LOST' : 'MAMBAIR_OUT_OF_MEMORY', 'gone');
        }
        const isSecond = known !== undefined;
        known ??= await network.run(input, options);
        if (fault === 'wrong') {
          known.output.data.fill(0.5, 0, 1000);
        } else if (fault === 'nan') {
          known.output.data[3] = Number.NaN;
        } else if (fault === 'unsteady' && isSecond) {
          known.output.data[3]! += 1e-6;
        } else if (fault === 'slow') {
          await new Promise((resolve) => setTimeout(resolve, 500));
        }
        return { ...known, output: { ...known.output, data: known.output.data.slice() } };
      };
      return {
        scale: network.scale,
        inputChannels: network.inputChannels,
        outputChannels: network.outputChannels,
        plan: (height, width) => network.plan(height, width),
        run,
        dispose: () => network.dispose(),
      };
    },
  };
}

/** A machine of GPUs, counting what is asked of it. */
function machineOf(found: GpuReports, fault: Fault, notes: GpuNotes | undefined) {
  const asked = { lists: 0, opens: 0 };
  const machine: GpuMachine = {
    notes: () => Promise.resolve(notes),
    list: () => {
      asked.lists += 1;
      return Promise.resolve(found);
    },
    open: ({ index }) => {
      asked.opens += 1;
      return fakeGpu(fault, found.gpus.find((gpu) => gpu.index === index)?.description ?? '');
    },
  };
  return { machine, asked };
}

let files = 0;
const newNotes = (now?: () => number): GpuNotes => {
  files += 1;
  return new GpuNotes(join(folder, `below/${files}.json`), 'setup', now);
};

async function place(machine: GpuMachine, pixels?: number) {
  const options = { threads: 1, ...(pixels === undefined ? {} : { pixels }) };
  const { executor, reason, warning } = await placeNetwork(graph, tensors, options, machine);
  await executor.dispose();
  return { name: executor.name, reason, warning };
}

describe('the choice of a GPU', () => {
  it('prefers a card, then what it does not know, then a part of the processor', () => {
    const part = report('part', 'integrated');
    const strange = report('strange', 'unknown', 2);
    expect(chooseGpu({ gpus: [software, part, strange, card] }).gpu).toBe(card);
    expect(chooseGpu({ gpus: [software, part, strange] }).gpu).toBe(strange);
    expect(chooseGpu({ gpus: [software, part] })).toMatchObject({ gpu: part, reason: expect.stringContaining('only') });
  });

  it('never takes a CPU that plays a GPU, and says so', () => {
    expect(chooseGpu({ gpus: [software] })).toEqual({ reason: expect.stringContaining('SwiftShader') });
    expect(chooseGpu({ gpus: [], problem: 'no driver' })).toEqual({ reason: expect.stringContaining('no driver') });
  });
});

describe('the device auto', () => {
  it('takes a GPU that gives the values of the CPU sooner, and checks it once', async () => {
    const notes = newNotes();
    const { machine, asked } = machineOf({ gpus: [software, card] }, 'none', notes);
    expect(await place(machine)).toMatchObject({ name: 'webgpu', reason: expect.stringMatching(/a card.*as fast/) });
    expect(await place(machine)).toMatchObject({ name: 'webgpu', warning: undefined });
    expect(asked).toEqual({ lists: 1, opens: 2 });
    // With the verdict known, a fault is the failure policy's matter.
    expect(await place(machineOf({ gpus: [card] }, 'wrong', notes).machine)).toMatchObject({ name: 'webgpu' });
  });

  it.each(['wrong', 'nan', 'unsteady', 'lost', 'closed'] as const)(
    'leaves a GPU aside that is %s, says so each time, and tries again after a day',
    async (fault) => {
      let now = 1e12;
      const { machine, asked } = machineOf(
        { gpus: [card] },
        fault,
        newNotes(() => now),
      );
      const named = expect.stringContaining('a card');
      expect(await place(machine)).toMatchObject({ name: 'cpu', warning: named });
      expect(await place(machine)).toMatchObject({ name: 'cpu', warning: named });
      expect(asked.opens).toBe(1);
      now += 25 * 60 * 60 * 1000;
      await place(machine);
      expect(asked).toEqual({ lists: 2, opens: 2 });
    },
  );

  it('leaves a GPU aside that is slower than the CPU, without a warning', async () => {
    const { machine } = machineOf({ gpus: [card] }, 'slow', newNotes());
    const placed = await place(machine);
    expect(placed).toEqual({ name: 'cpu', reason: expect.stringContaining('slower'), warning: undefined });
  });

  it('starts no GPU for little work, without the package, and where there is none', async () => {
    const { machine, asked } = machineOf({ gpus: [card] }, 'none', newNotes());
    expect(await place(machine, 10_000)).toMatchObject({ name: 'cpu', reason: expect.stringContaining('little') });
    const without = machineOf({ gpus: [card] }, 'none', undefined);
    expect(await place(without.machine)).toMatchObject({ name: 'cpu', reason: expect.stringContaining('webgpu') });
    const played = machineOf({ gpus: [software] }, 'none', newNotes());
    expect(await place(played.machine)).toMatchObject({ name: 'cpu', reason: expect.stringContaining('SwiftShader') });
    expect([asked, without.asked, played.asked].map(({ opens }) => opens)).toEqual([0, 0, 0]);
  });

  it('looks anew when a number means another GPU than yesterday', async () => {
    const notes = newNotes();
    await notes.noteList({ gpus: [report('a card that was taken out', 'discrete', 1)] });
    const { machine, asked } = machineOf({ gpus: [software, card] }, 'none', notes);
    expect(await place(machine)).toMatchObject({
      name: 'webgpu',
      reason: expect.stringContaining('a card (webgpu:1)'),
    });
    expect(asked).toEqual({ lists: 1, opens: 2 });
    await notes.noteList({ gpus: [report('a card that was taken out', 'discrete', 0)] });
    const left = machineOf({ gpus: [software] }, 'none', notes);
    expect(await place(left.machine)).toMatchObject({ name: 'cpu', reason: expect.stringContaining('SwiftShader') });
  });

  it('does not blame the GPU for weights that do not fit', async () => {
    const { machine } = machineOf({ gpus: [card] }, 'none', newNotes());
    const wrong = new Map([...tensors].slice(1));
    await expect(placeNetwork(graph, wrong, { threads: 1 }, machine)).rejects.toMatchObject({
      code: expect.stringMatching(/SHAPE_MISMATCH|TENSOR_INVALID|INTERNAL/),
    });
  });
});

describe('notes on GPUs', () => {
  it('count for their setup only, and a broken file for nothing', async () => {
    const path = join(folder, 'notes.json');
    await new GpuNotes(path, 'old').noteList({ gpus: [card] });
    expect(await new GpuNotes(path, 'old').list()).toEqual({ gpus: [card] });
    expect(await new GpuNotes(path, 'new').list()).toBeUndefined();
    for (const text of ['', '{"setup":"old"}', 'null', '{"setup":"old","verdicts":null}']) {
      await writeFile(path, text);
      expect(await new GpuNotes(path, 'old').list()).toBeUndefined();
    }
    await new GpuNotes(path, 'old').noteVerdict('__proto__', { outcome: 'fit', reason: '' });
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ setup: 'old' });
  });

  it('cost nothing but time where they cannot be written', async () => {
    const notes = new GpuNotes(join(folder, 'notes.json/below.json'), 'setup');
    await notes.noteList({ gpus: [] });
    expect(await notes.list()).toBeUndefined();
    expect(await notes.verdict('x')).toBeUndefined();
  });
});

describeWithGpu('a CPU that plays a GPU, taken for a real one', () => {
  it(
    'gives the values of the CPU, and is left aside as it is slower',
    async () => {
      const { machine } = machineOf({ gpus: [] }, 'none', newNotes());
      const list = async (): Promise<GpuReports> => ({
        gpus: (await thisMachine.list()).gpus.map((gpu) => ({ ...gpu, kind: 'discrete' })),
      });
      const placed = await place({ ...machine, list, open: thisMachine.open });
      expect(placed).toEqual({ name: 'cpu', reason: expect.stringContaining('slower'), warning: undefined });
    },
    gpuTestMs,
  );
});

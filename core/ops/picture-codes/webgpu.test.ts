import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithGpu, gpuTestMs } from '../../../test/gpu.js';
import { below, seededRandom } from '../../../test/mutate.js';
import type { Executor, Network } from '../../executors/executor.js';
import { GraphBuilder } from '../../graph/build-graph.js';
import { createGpuExecutor } from '../../library/gpu-adapters.js';
import { createIdentityRestorer } from '../../restore/identity.js';
import { codedPictureOf } from '../../video/coded-picture.js';
import type { FrameColour } from '../../video/colour.js';
import { type FrameLayout, frameLayout, pixelFormat, pixelFormats } from '../../video/pixel-format.js';

const matrices = ['bt709', 'bt470bg', 'smpte170m', 'fcc', 'smpte240m', 'bt2020nc'] as const;
const locations = ['left', 'center', 'topleft', 'top', 'bottomleft', 'bottom'] as const;
const routing = { kind: 'argmax' } as const;
const random = seededRandom(2);

/** Codes of equal probability: most are no colour that RGB can show. */
function randomFrame(layout: FrameLayout): Uint8Array {
  const frame = new Uint8Array(layout.bytes);
  const codes = layout.bytesPerSample === 1 ? frame : new Uint16Array(frame.buffer);
  for (let at = 0; at < codes.length; at++) {
    codes[at] = below(random, 2 ** layout.format.depth);
  }
  return frame;
}

/** Each format with all that changes its arithmetic; matrices take turns. */
function* cases(width: number, height: number): Generator<[FrameLayout, FrameColour]> {
  let turn = 0;
  for (const format of pixelFormats) {
    const isSubsampled = format.chromaShift.horizontal + format.chromaShift.vertical > 0;
    for (const range of ['limited', 'full'] as const) {
      for (const chromaLocation of isSubsampled ? locations : (['left'] as const)) {
        const matrix = matrices[turn % matrices.length] ?? 'bt709';
        turn += 1;
        yield [frameLayout(format, width, height), { matrix, range, chromaLocation }];
      }
    }
  }
}

/** A network of `scale` that changes nothing. */
function identity(channels: number, scale: number) {
  const graph = new GraphBuilder();
  const image = graph.input('input', { channels, multiple: 1 });
  const ones = Array.from({ length: channels }, () => 1);
  const same = graph.affine('same', image, { scale: ones, offset: ones.map(() => 0) });
  return graph.finish(scale === 1 ? same : graph.upsampleNearest('larger', same, scale));
}

describeWithGpu('codes of frames on the GPU', () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await createGpuExecutor();
  });
  afterAll(() => executor.dispose());

  /** Runs an unchanged frame of every format, and names those for which `expected` gives another one. */
  const differences = async (
    scale: number,
    [width, height]: readonly [number, number],
    expected: (frame: Uint8Array, layout: FrameLayout, colour: FrameColour) => Promise<Uint8Array>,
  ) => {
    const networks = new Map<number, Network>();
    for (const channels of [1, 3]) {
      networks.set(channels, await executor.load(identity(channels, scale), new Map()));
    }
    const changed: string[] = [];
    for (const [layout, colour] of cases(width, height)) {
      const network = networks.get(layout.format.model === 'gray' ? 1 : 3);
      const source = codedPictureOf(layout, colour);
      const target = codedPictureOf(frameLayout(layout.format, width * scale, height * scale), colour);
      const frame = randomFrame(layout);
      const found = await network?.runCodes?.(frame, { source, target }, { routing });
      if (Buffer.compare(found ?? new Uint8Array(), await expected(frame, layout, colour)) !== 0) {
        changed.push(`${layout.format.name} ${Object.values(colour).join(' ')}`);
      }
    }
    for (const network of networks.values()) {
      await network.dispose();
    }
    return changed;
  };

  it.each([[[1, 1]], [[7, 3]], [[37, 18]]] as const)(
    'come back bit for bit, in every format, range and chroma location, at %j',
    async (size) => {
      expect(await differences(1, size, async (frame) => frame)).toEqual([]);
    },
    gpuTestMs,
  );

  it(
    'are those of the CPU where every pixel is repeated, whatever has no colour apart',
    async () => {
      const changed = await differences(2, [5, 3], async (frame, layout, colour) => {
        const restorer = await createIdentityRestorer(2, layout, colour);
        const enlarged = await restorer.restore(frame);
        for (const { channels, offset, width, height } of restorer.layout.planes) {
          for (let at = 0; at < width * height * channels.length; at++) {
            if (['a', 'x'].includes(channels[at % channels.length] as string)) {
              const first = offset + at * layout.bytesPerSample;
              enlarged.fill(0, first, first + layout.bytesPerSample);
            }
          }
        }
        return enlarged;
      });
      expect(changed).toEqual([]);
    },
    gpuTestMs,
  );

  it('tell of values that are not finite, and of frames that do not fit', async () => {
    const graph = new GraphBuilder();
    const image = graph.input('input', { channels: 3, multiple: 1 });
    const factors = [1, 1, 3e38];
    const twice = graph.affine('large', image, { scale: factors, offset: factors });
    const network = await executor.load(graph.finish(twice), new Map());
    const layout = frameLayout(pixelFormat('yuv420p'), 6, 4);
    const picture = codedPictureOf(layout, { matrix: 'bt709', range: 'full', chromaLocation: 'left' });
    const pictures = { source: picture, target: picture };
    const white = new Uint8Array(layout.bytes).fill(255, 0, 24).fill(128, 24);
    await expect(network.runCodes?.(white, pictures, { routing })).rejects.toMatchObject({
      code: 'MAMBAIR_NOT_FINITE',
    });
    const shorter = white.subarray(1);
    await expect(network.runCodes?.(shorter, pictures, { routing })).rejects.toMatchObject({
      code: 'MAMBAIR_SHAPE_MISMATCH',
    });
    await network.dispose();
  });
});

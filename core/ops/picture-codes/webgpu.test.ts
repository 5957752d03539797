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

/** One of each subsampling, depth and way of lying in memory. */
const fewFormats = [
  'yuv420p',
  'yuv422p10le',
  'yuv440p',
  'yuv411p',
  'yuv410p',
  'yuva444p16le',
  'gray',
  'bgra',
  'rgb48le',
];

/** Formats with all that changes their arithmetic; matrices take turns. */
function* cases(width: number, height: number): Generator<[FrameLayout, FrameColour]> {
  let turn = 0;
  const isSmall = width * height === 21;
  for (const format of isSmall ? pixelFormats : fewFormats.map(pixelFormat)) {
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

  /** Runs an unchanged frame of each format, and names those that do not fit what is expected. */
  const misfits = async (
    scale: number,
    [width, height]: readonly [number, number],
    fits: (found: Uint8Array, frame: Uint8Array, of: { layout: FrameLayout; colour: FrameColour }) => Promise<boolean>,
  ) => {
    const networks = new Map<number, Network>();
    for (const channels of [1, 3]) {
      networks.set(channels, await executor.load(identity(channels, scale), new Map()));
    }
    const found: string[] = [];
    for (const [layout, colour] of cases(width, height)) {
      const network = networks.get(layout.format.model === 'gray' ? 1 : 3);
      const source = codedPictureOf(layout, colour);
      const target = codedPictureOf(frameLayout(layout.format, width * scale, height * scale), colour);
      const frame = randomFrame(layout);
      const result = (await network?.runCodes?.(frame, { source, target }, { routing })) ?? new Uint8Array();
      if (!(await fits(result, frame, { layout, colour }))) {
        found.push(`${layout.format.name} ${Object.values(colour).join(' ')}`);
      }
    }
    for (const network of networks.values()) {
      await network.dispose();
    }
    return found;
  };

  it.each([[[1, 1]], [[7, 3]], [[37, 18]]] as const)(
    'come back bit for bit, at %j in every format, range and chroma location, else in some formats',
    async (size) => {
      expect(await misfits(1, size, async (found, frame) => Buffer.compare(found, frame) === 0)).toEqual([]);
    },
    gpuTestMs,
  );

  it(
    'are those of the CPU where every pixel is repeated, but for chroma half way between two codes',
    async () => {
      const found = await misfits(2, [5, 4], async (result, frame, { layout, colour }) => {
        const expected = await (await createIdentityRestorer(2, layout, colour)).restore(frame);
        const target = frameLayout(layout.format, 10, 8);
        const samples = (bytes: Uint8Array) =>
          layout.bytesPerSample === 1 ? bytes : new Uint16Array(bytes.slice().buffer);
        const [a, b] = [samples(result), samples(expected)];
        return target.planes.every(({ channels, offset, width, height }) => {
          const first = offset / layout.bytesPerSample;
          return Array.from({ length: width * height * channels.length }, (_, at) => at).every((at) => {
            const channel = channels[at % channels.length] as string;
            const difference = Math.abs((a[first + at] as number) - (b[first + at] as number));
            // Weights of eighths and codes that are whole numbers meet at halves, and rounding errors decide.
            return 'ax'.includes(channel) ? a[first + at] === 0 : difference <= ('uv'.includes(channel) ? 1 : 0);
          });
        });
      });
      expect(found).toEqual([]);
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

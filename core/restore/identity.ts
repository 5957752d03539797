import { throwIfCancelled } from '../errors.js';
import type { Network } from '../executors/executor.js';
import type { Tensor } from '../tensor/tensor.js';
import type { FrameColour } from '../video/colour.js';
import { createFrameConverter } from '../video/frame-converter.js';
import { frameLayout } from '../video/pixel-format.js';
import type { FrameLayout } from '../video/pixel-format.js';
import { repeatPixels } from './alpha.js';
import type { FrameRestorer } from './restore-frames.js';
import { createTensor } from './tensor-tiles.js';

/**
 * A network that changes nothing: every pixel is given back, `scale` × `scale` times. What differs after it was changed by
 * what is around the network.
 */
export function createIdentityNetwork(scale: number): Network {
  return {
    scale,
    inputChannels: 3,
    outputChannels: 3,
    plan: () => ({
      weightBytes: 0,
      activationBytes: 0,
      scratchBytes: 0,
      totalBytes: 0,
      limitBytes: Number.MAX_SAFE_INTEGER,
    }),
    run: (input, { signal }) => {
      throwIfCancelled(signal);
      return Promise.resolve({ output: enlarge(input, scale), taps: new Map() });
    },
    dispose: () => Promise.resolve(),
  };
}

function enlarge(input: Tensor, scale: number): Tensor {
  const [batch = 0, channels = 0, height = 0, width = 0] = input.shape;
  const output = createTensor([batch, channels, height * scale, width * scale]);
  const [area, enlarged] = [height * width, height * width * scale * scale];
  for (let plane = 0; plane < batch * channels; plane++) {
    const pixels = input.data.subarray(plane * area, (plane + 1) * area);
    output.data.set(repeatPixels(pixels, { height, width, scale }), plane * enlarged);
  }
  return output;
}

/**
 * The same for raw video frames: they are converted to R'G'B' and back as for any network, and none runs. At ×1 every code
 * of every plane comes back; else R'G'B' and alpha are repeated.
 * @throws MAMBAIR_OUT_OF_MEMORY
 */
export async function createIdentityRestorer(
  scale: number,
  layout: FrameLayout,
  colour: FrameColour,
  signal?: AbortSignal,
): Promise<FrameRestorer> {
  const { width, height, format } = layout;
  const target = frameLayout(format, width * scale, height * scale);
  const reader = await createFrameConverter(layout, colour);
  const writer = scale === 1 ? reader : await createFrameConverter(target, colour);
  const area = width * height;
  const rgb = scale === 1 ? new Float32Array(0) : new Float32Array(3 * area * scale * scale);
  return {
    layout: target,
    ...(scale === 1 ? { allocate: (bytes) => (bytes === layout.bytes ? reader.allocate() : undefined) } : {}),
    restore: async (frame, given) => {
      throwIfCancelled(signal);
      const result = given ?? new Uint8Array(target.bytes);
      if (scale === 1) {
        reader.pass(frame, result);
        return result;
      }
      const signals = reader.toRgb(frame);
      for (let channel = 0; channel < 3; channel++) {
        const plane = signals.subarray(channel * area, (channel + 1) * area);
        rgb.set(repeatPixels(plane, { height, width, scale }), channel * area * scale * scale);
      }
      repeatAlpha(layout, frame, target, result);
      writer.fromRgb(rgb, result);
      return result;
    },
  };
}

function repeatAlpha(layout: FrameLayout, frame: Uint8Array, target: FrameLayout, result: Uint8Array): void {
  const { bytesPerSample, width } = layout;
  const scale = target.width / width;
  for (const [index, { channels, offset }] of layout.planes.entries()) {
    const channel = channels.indexOf('a');
    const to = target.planes[index];
    if (channel < 0 || to === undefined) {
      continue;
    }
    const step = channels.length * bytesPerSample;
    const [from, first] = [offset + channel * bytesPerSample, to.offset + channel * bytesPerSample];
    for (let y = 0; y < target.height; y++) {
      for (let x = 0; x < target.width; x++) {
        const source = from + (Math.floor(y / scale) * width + Math.floor(x / scale)) * step;
        result.set(frame.subarray(source, source + bytesPerSample), first + (y * target.width + x) * step);
      }
    }
  }
}

import type { CodedPicture } from '../../tensor/coded-picture.js';
import { source as mathSource } from '../webgpu-math.wgsl.gen.js';
import { type GpuPass, type GpuShader, groupsOf, reads, writes } from '../webgpu-kernel.js';
import { source } from './webgpu.wgsl.gen.js';

const sitings = { first: 0, between: 1, second: 2 } as const;

const shader: GpuShader = { name: 'picture-codes', source: mathSource + source };

/** Bytes of a picture's codes, in whole words. */
export function codesBytes({ samples, bytesPerSample }: CodedPicture): number {
  return groupsOf(samples * bytesPerSample, 4) * 4;
}

function bitsOf(...values: readonly number[]): readonly number[] {
  return [...new Uint32Array(Float32Array.from(values).buffer)];
}

function paramsOf(picture: CodedPicture, scale: number): readonly number[] {
  const { red, green, blue } = picture.luma;
  const { lumaOffset, lumaScale, chromaOffset, chromaScale } = picture.scale;
  const [vRed, uBlue] = [2 * (1 - red), 2 * (1 - blue)];
  const places = picture.channels.map(({ first, step, width, height }) => [first, step, width, height]);
  const isGray = picture.channels.length === 1;
  // Planes that do not exist begin behind the last sample.
  const planes = Array.from({ length: 4 }, (_, at) => {
    const { first, channels } = picture.planes[at] ?? { first: 0xffffffff, channels: [0] };
    const numbers = channels.reduce((word, channel, place) => word | ((channel < 0 ? 3 : channel) << (4 * place)), 0);
    return [first, 0, channels.length, numbers];
  });
  return [
    ...[picture.width, picture.height, scale, picture.bytesPerSample - 1],
    ...[picture.isYuv ? 1 : 0, isGray ? 1 : 3, picture.samples, ...bitsOf(picture.largest)],
    // Gray is itself, however it was weighted.
    ...bitsOf(...(isGray ? [1, 0, 0] : [red, green, blue])),
    scale === 1 ? 1 : 0,
    ...bitsOf(lumaOffset, lumaScale, 1 / lumaScale, chromaOffset),
    ...bitsOf(...[vRed, (-uBlue * blue) / green, (-vRed * red) / green, uBlue].map((factor) => factor / chromaScale)),
    ...bitsOf(chromaScale / uBlue, chromaScale / vRed),
    ...[picture.chromaShift.horizontal, picture.chromaShift.vertical],
    ...[sitings[picture.siting.horizontal], sitings[picture.siting.vertical]],
    ...[0, 0],
    ...planes.flat(),
    ...[...places, [0, 0, 1, 1], [0, 0, 1, 1]].slice(0, 3).flat(),
  ];
}

/** Codes to the image that a network takes, and what clamping it took away. */
export function readCodesPass(picture: CodedPicture): GpuPass {
  return {
    shader,
    entry: 'decode',
    constants: {},
    params: paramsOf(picture, 1),
    bindings: [reads({ kind: 'codes' }), writes({ kind: 'image' }), writes({ kind: 'clipped' })],
    workgroups: groupsOf(picture.width * picture.height, 256),
  };
}

/** A network's result, with what was taken away, to the codes of a picture `scale` times as large as the source. */
export function writeCodesPass(picture: CodedPicture, scale: number): GpuPass {
  return {
    shader,
    entry: 'encode',
    constants: {},
    params: paramsOf(picture, scale),
    bindings: [
      reads({ kind: 'codes' }),
      writes({ kind: 'result' }),
      writes({ kind: 'clipped' }),
      writes({ kind: 'newCodes' }),
    ],
    workgroups: groupsOf(codesBytes(picture) / 4, 256),
  };
}

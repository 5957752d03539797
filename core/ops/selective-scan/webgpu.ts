import type { OperationOf } from '../cpu-kernel.js';
import { source as mathSource } from '../webgpu-math.wgsl.gen.js';
import { source as valuesSource } from '../webgpu-values.wgsl.gen.js';
import {
  flag,
  gpuInput,
  type GpuPass,
  type GpuShader,
  groupsOf,
  pixelsOf,
  reads,
  type WebgpuKernel,
  writes,
} from '../webgpu-kernel.js';
import { source } from './webgpu.wgsl.gen.js';

type SelectiveScan = OperationOf<'selectiveScan'>;

const shader: GpuShader = { name: 'selective-scan', source: mathSource + valuesSource + source };

/** Steps of a chunk at least, and chunks at most: the carry walks a sixteenth of them one after the other. */
const leastChunk = 64;
const mostChunks = 1024;
/** States of a workgroup of the carry. */
const carryRows = 16;
/** Channels of a workgroup at most, and invocations it aims at. */
const mostWidth = 128;
const widthMultiple = 16;
const groupSize = 192;
/** Workgroup memory of staged rows: half of what WebGPU promises, so that two workgroups share a processor. */
const stagedBytes = 8192;
/** A' is not below this: a decay of 0 all the same, and no product with δ overflows. */
const fastestDecay = -1e30;

/** Steps of a chunk: more only where chunks would be too many for the carry; a multiple of 16. */
export function chunkLengthOf(length: number): number {
  return Math.max(leastChunk, Math.ceil(length / mostChunks / 16) * 16);
}

/** How a workgroup divides: WIDTH channels of CHUNKS chunks, TILE steps staged at a time. Few widths make few pipelines. */
function shapeOf(channels: number, rowVectors: number) {
  const channelGroups = groupsOf(channels, mostWidth);
  const width = groupsOf(groupsOf(channels, channelGroups), widthMultiple) * widthMultiple;
  const rowBytes = rowVectors * 16 + 4;
  const wanted = Math.max(1, Math.floor(groupSize / width));
  const chunks = Math.max(1, Math.min(wanted, 16, Math.floor(stagedBytes / (rowBytes * 4))));
  const tile = Math.max(1, Math.min(16, Math.floor(stagedBytes / (rowBytes * chunks))));
  return { channelGroups, WIDTH: width, CHUNKS: chunks, TILE: tile };
}

/** Constants that the carry does not use, the same for all, so that it is compiled once. */
const smallest = { WIDTH: 1, CHUNKS: 1, TILE: 1, PROMPT: 0, SORTED: 0, X16: 0, P16: 0 };

/** `[channels][size]` as `[size padded to 4][channels]`. */
function transposed(values: Float32Array, channels: number, map: (value: number) => number): Float32Array {
  const size = values.length / channels;
  const result = new Float32Array(groupsOf(size, 4) * 4 * channels);
  for (let channel = 0; channel < channels; channel++) {
    for (let at = 0; at < size; at++) {
      result[at * channels + channel] = map(values[channel * size + at] as number);
    }
  }
  return result;
}

/** embeddingB `[T, r]` · embeddingA `[r, N]`, summed in float64. */
function prompts(b: Float32Array, a: Float32Array, states: number): Float32Array {
  const rank = a.length / states;
  return Float32Array.from({ length: (b.length / rank) * states }, (_, at) => {
    const [token, n] = [Math.floor(at / states), at % states];
    let sum = 0;
    for (let r = 0; r < rank; r++) {
      sum += (b[token * rank + r] as number) * (a[r * states + n] as number);
    }
    return sum;
  });
}

export const selectiveScanWebgpu: WebgpuKernel<SelectiveScan> = {
  pack({ stateSize, dtWeight, dtBias, aLogs, skip, prompt }, read, channels) {
    const decay = (value: number) => Math.max(fastestDecay, -Math.exp(value) * Math.LOG2E);
    const parts = [
      transposed(read(dtWeight), channels, (value) => value),
      transposed(read(aLogs), channels, decay),
      read(dtBias),
      read(skip),
      prompt ? prompts(read(prompt.embeddingB), read(prompt.embeddingA), stateSize) : new Float32Array(),
    ];
    const packed = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      packed.set(part, at);
      at += part.length;
    }
    return [packed];
  },
  passes({ operation: { stateSize, dtRank, prompt }, inputs, output, weight, temporary }) {
    const [u, projection, classes = u, order = u] = [gpuInput(inputs, 0), gpuInput(inputs, 1), inputs[2], inputs[3]];
    const { channels } = u;
    const length = pixelsOf(output);
    const chunkLength = chunkLengthOf(length);
    const chunks = groupsOf(length, chunkLength);
    const stateVectors = groupsOf(stateSize, 4);
    const states = temporary(chunks * (4 * stateVectors + 1) * channels);
    const rankVectors = groupsOf(dtRank, 4);
    const sizes = { N4: stateVectors, RANK4: rankVectors };
    const { channelGroups, ...division } = shapeOf(channels, rankVectors + 2 * stateVectors);
    const halves = { X16: flag(u.isHalf), P16: flag(projection.isHalf) };
    const shape = { ...division, ...halves, PROMPT: flag(prompt !== undefined), SORTED: flag(inputs.length > 2) };
    const pass = (entry: string, isOutput: boolean, workgroups: number): GpuPass => ({
      shader,
      entry,
      constants: { ...sizes, ...(entry === 'scan' ? shape : smallest), OUTPUT: flag(isOutput) },
      params: [
        length,
        channels,
        chunkLength,
        chunks,
        channelGroups,
        u.start,
        u.stride,
        projection.start,
        projection.stride,
        output.stride,
        stateSize,
        dtRank,
      ],
      bindings: [
        ...[u, projection, order, classes].map(({ buffer }) => reads(buffer)),
        reads(weight(0)),
        writes(states),
        writes(output.buffer),
      ],
      workgroups,
    });
    const groups = groupsOf(chunks, shape.CHUNKS) * channelGroups;
    const last = pass('scan', true, groups);
    return chunks === 1
      ? [last]
      : [pass('scan', false, groups), pass('carry', false, groupsOf(4 * stateVectors * channels, carryRows)), last];
  },
};

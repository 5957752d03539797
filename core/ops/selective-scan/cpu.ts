import { type CpuKernel, inputOf, type OperationOf, padded } from '../cpu-kernel.js';

/** Steps of one kernel call: short enough that cancelling and the change to optimised code never wait long. */
const callSteps = 1024;
const blockSteps = 64;

function statesPadded(states: number): number {
  return Math.ceil(states / 4) * 4;
}

/** [rows of channels][n] → [group of four channels][nPadded][4]. */
function packGroups(values: Float32Array, channels: number, n: number, nPadded: number): Float32Array {
  const packed = new Float32Array(Math.ceil(channels / 4) * nPadded * 4);
  for (let channel = 0; channel < channels; channel++) {
    for (let at = 0; at < n; at++) {
      packed[((channel >> 2) * nPadded + at) * 4 + (channel & 3)] = values[channel * n + at] as number;
    }
  }
  return packed;
}

/** How far the rates of tied states may be from multiples: logarithms are rounded to float32. */
const tiedTolerance = 5e-7;

/**
 * 1 for each group of four channels whose five to eight rates are 1, 2, 3, … times their first, as S4D-real starts and
 * as a training may keep it: the kernel then takes one exponential for all. Else 0.
 */
function tiedGroups(a: Float32Array, channels: number, states: number): Float32Array {
  const tied = new Float32Array(Math.ceil(channels / 4)).fill(states > 4 && states <= 8 ? 1 : 0);
  a.forEach((rate, at) => {
    const multiple = (at % states) + 1;
    const first = a[at - multiple + 1] as number;
    if (!(Math.abs(rate / multiple - first) <= tiedTolerance * Math.abs(first))) {
      tied[Math.floor(at / states) >> 2] = 0;
    }
  });
  return tied;
}

/** embeddingB [T, r] · embeddingA [r, N] → [T][N padded], summed in float64. */
function packPrompt(b: Float32Array, a: Float32Array, rank: number, states: number): Float32Array {
  const tokens = b.length / rank;
  const width = statesPadded(states);
  const prompt = new Float32Array(tokens * width);
  for (let token = 0; token < tokens; token++) {
    for (let n = 0; n < states; n++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) {
        sum += (b[token * rank + k] as number) * (a[k * states + n] as number);
      }
      prompt[token * width + n] = sum;
    }
  }
  return prompt;
}

export const selectiveScanCpu: CpuKernel<OperationOf<'selectiveScan'>> = {
  pack({ stateSize, dtRank, dtWeight, dtBias, aLogs, skip, prompt }, read, channels) {
    const width = statesPadded(stateSize);
    const a = read(aLogs).map((value) => -Math.exp(value) * Math.LOG2E);
    const rank = prompt?.embeddingA.shape[0] as number;
    return [
      packGroups(read(dtWeight), channels, dtRank, dtRank),
      padded(read(dtBias), 4),
      packGroups(a, channels, stateSize, width),
      tiedGroups(a, channels, stateSize),
      padded(read(skip), 4),
      ...(prompt ? [packPrompt(read(prompt.embeddingB), read(prompt.embeddingA), rank, stateSize)] : []),
    ];
  },
  scratchBytes({ dtRank, stateSize }, inputs) {
    const groups = Math.ceil((inputs[0]?.channels ?? 0) / 4);
    const width = statesPadded(stateSize);
    // State of every group, then of a block: projection rows, u rows, δ, δ·u and y (a vector each), decays of 8 states,
    // and a vector that is never read.
    return (groups * width * 4 + blockSteps * (dtRank + 2 * width + groups * 4 + 3 * 4 + 8 * 4) + 4) * 4;
  },
  bind({ operation: { stateSize, dtRank }, inputs, output: y, packed, kernels, scratch, isCancelled }) {
    const [u, projection, classOf, order] = [inputOf(inputs, 0), inputOf(inputs, 1), inputs[2], inputs[3]];
    const [dtWeight = 0, dtBias = 0, a = 0, tied = 0, skip = 0, prompt = 0] = packed;
    const stateBytes = Math.ceil(u.channels / 4) * statesPadded(stateSize) * 16;
    const steps = u.height * u.width;
    return (firstGroup, groups) => {
      kernels.fillZero(scratch, stateBytes);
      for (let first = 0; first < steps && !isCancelled(); first += callSteps) {
        kernels.selectiveScan(
          u.at(0),
          u.strideBytes,
          projection.at(0),
          projection.strideBytes,
          order?.at(0) ?? 0,
          classOf?.at(0) ?? 0,
          prompt,
          y.at(0),
          y.strideBytes,
          first,
          Math.min(callSteps, steps - first),
          firstGroup,
          groups,
          dtRank,
          stateSize,
          dtWeight,
          dtBias,
          a,
          tied,
          skip,
          scratch,
          scratch + stateBytes,
        );
      }
    };
  },
};

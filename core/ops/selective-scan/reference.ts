import { softplus } from '../activation/reference.js';
import { type FeatureMap, featureMap, type IndexMap } from '../feature-map.js';

// Looked up once: in a vm context, such as a test runner's, a global costs more than the arithmetic around it.
const { exp } = Math;

/** Operands of one scan over L steps of D channels with N states each, all in scan order. */
export interface ScanOperands {
  /** `[L, D]`. */
  readonly u: Float64Array;
  /** Time steps before bias and softplus, `[L, D]`. */
  readonly delta: Float64Array;
  /** Decay rates, negative, `[D, N]`. */
  readonly A: Float64Array;
  /** `[L, N]`, shared by all channels. */
  readonly B: Float64Array;
  /** `[L, N]`, shared by all channels. */
  readonly C: Float64Array;
  /** Skip, `[D]`. */
  readonly D: Float64Array;
  /** `[D]`. */
  readonly deltaBias: Float64Array;
}

/**
 * The selective scan (Gu and Dao, "Mamba", 2023, Algorithm 2), from h = 0, for every channel d and state n:
 *
 *     δ_t = softplus(Δ_t + bias)
 *     h_t = exp(δ_t · A) · h_(t−1) + δ_t · B_t · u_t        (A exact, B by Euler's rule)
 *     y_t = Σ_n C_t · h_t + D · u_t
 *
 * Returns y `[L, D]`.
 */
export function scan({ u, delta, A, B, C, D, deltaBias }: ScanOperands): Float64Array {
  const channels = D.length;
  const states = A.length / channels;
  const length = u.length / channels;
  const hidden = new Float64Array(channels * states);
  const y = new Float64Array(length * channels);
  for (let t = 0; t < length; t += 1) {
    for (let d = 0; d < channels; d += 1) {
      const step = softplus((delta[t * channels + d] as number) + (deltaBias[d] as number));
      const input = u[t * channels + d] as number;
      let sum = (D[d] as number) * input;
      for (let n = 0; n < states; n += 1) {
        const decay = exp(step * (A[d * states + n] as number));
        const h = decay * (hidden[d * states + n] as number) + step * (B[t * states + n] as number) * input;
        hidden[d * states + n] = h;
        sum += (C[t * states + n] as number) * h;
      }
      y[t * channels + d] = sum;
    }
  }
  return y;
}

/** Weights of the scan module. */
export interface SelectiveScanWeights {
  readonly stateSize: number;
  readonly dtRank: number;
  /** `dt_projs_weight` `[D, R]`. */
  readonly dtWeight: Float64Array;
  /** `dt_projs_bias` `[D]`. */
  readonly dtBias: Float64Array;
  /** `A_logs` `[D, N]`; A = −exp(A_logs). */
  readonly aLogs: Float64Array;
  /** `Ds` `[D]`. */
  readonly skip: Float64Array;
  /** The attentive form: prompts, and who gets which. */
  readonly attentive:
    | {
        /** The class of every raster pixel; undefined: all are of class 0. */
        readonly classes: IndexMap | undefined;
        /** order[p] = the raster pixel that the scan visits at step p; undefined: p. */
        readonly order: IndexMap | undefined;
        /** `[T, r]`. */
        readonly embeddingB: Float64Array;
        /** `[r, N]`. */
        readonly embeddingA: Float64Array;
      }
    | undefined;
}

/**
 * The scan as a layer (MambaIRv2 section 3.2, attentive state space equation): the pixels are taken in class order,
 * Δ, B and C come from `projection` `[Δ low-rank R | B N | C N]` of the same pixel, and C is raised by a prompt.
 * The result is put back in raster order.
 *
 * The prompt is *not* taken in class order: step p gets the prompt of raster pixel p, while everything else belongs to
 * pixel order[p]. The official code computes so, and the published weights were trained so.
 */
export function selectiveScanReference(
  u: FeatureMap,
  projection: FeatureMap,
  weights: SelectiveScanWeights,
): FeatureMap {
  const { dtRank, stateSize, dtWeight, attentive } = weights;
  const channels = u.channels;
  const length = u.height * u.width;
  const sorted = {
    u: new Float64Array(length * channels),
    delta: new Float64Array(length * channels),
    B: new Float64Array(length * stateSize),
    C: new Float64Array(length * stateSize),
  };
  const prompt = attentive && promptTable(attentive.embeddingB, attentive.embeddingA, stateSize);
  for (let p = 0; p < length; p += 1) {
    const pixel = attentive?.order?.data[p] ?? p;
    const projected = projection.data.subarray(pixel * projection.channels, (pixel + 1) * projection.channels);
    for (let d = 0; d < channels; d += 1) {
      sorted.u[p * channels + d] = u.data[pixel * channels + d] as number;
      let delta = 0;
      for (let r = 0; r < dtRank; r += 1) {
        delta += (dtWeight[d * dtRank + r] as number) * (projected[r] as number);
      }
      sorted.delta[p * channels + d] = delta;
    }
    const promptRow = (attentive?.classes?.data[p] ?? 0) * stateSize;
    for (let n = 0; n < stateSize; n += 1) {
      sorted.B[p * stateSize + n] = projected[dtRank + n] as number;
      sorted.C[p * stateSize + n] =
        (projected[dtRank + stateSize + n] as number) + (prompt ? (prompt[promptRow + n] as number) : 0);
    }
  }
  const A = weights.aLogs.map((value) => -Math.exp(value));
  const y = scan({ ...sorted, A, D: weights.skip, deltaBias: weights.dtBias });

  const out = featureMap(u.height, u.width, channels);
  for (let p = 0; p < length; p += 1) {
    const pixel = attentive?.order?.data[p] ?? p;
    out.data.set(y.subarray(p * channels, (p + 1) * channels), pixel * channels);
  }
  return out;
}

/** The prompt of every class, embeddingB · embeddingA: `[T, N]`. */
export function promptTable(embeddingB: Float64Array, embeddingA: Float64Array, stateSize: number): Float64Array {
  const rank = embeddingA.length / stateSize;
  const classes = embeddingB.length / rank;
  const prompt = new Float64Array(classes * stateSize);
  for (let c = 0; c < classes; c += 1) {
    for (let n = 0; n < stateSize; n += 1) {
      for (let r = 0; r < rank; r += 1) {
        prompt[c * stateSize + n] =
          (prompt[c * stateSize + n] as number) +
          (embeddingB[c * rank + r] as number) * (embeddingA[r * stateSize + n] as number);
      }
    }
  }
  return prompt;
}

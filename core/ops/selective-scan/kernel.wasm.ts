import { exp2With, madd, softplusWith, splatAt } from '../simd.wasm';

// @ts-ignore: decorator
@inline
const blockTokens: i32 = 64;

/**
 * Steps first … first + count − 1 of the selective scan for `groups` groups of four channels (lanes), starting at
 * channel group `firstGroup`; the state stays in memory between calls, so a long scan is many short calls.
 *
 *   δ = softplus(dtWeight·Δ_low + dtBias);  h = exp(δ·A)·h + δ·u·B;  y = D·u + C·h      (MambaIR Eq. 1-2, Mamba §3)
 *
 * Blocks of 64 steps: gather whole rows (random access once a row, not once a group) → δ → decays exp2(δ·A·log2 e)
 * into L1 → recurrence with up to 8 states in registers → scatter. One fused loop spills and is slower. Meanwhile the
 * rows of the next block are touched, a few per group: WebAssembly has no prefetch, and sorted rows lie all over memory
 * (a tenth of the scan's time). In raster order u and y are used in place.
 * States are padded to a multiple of four with A = B = C = 0, which stay 0.
 * Where `tied` [group] is not 0, the rates of five to eight states are 1, 2, … times the first: one exponential and its
 * powers, which err by up to 5e-7 of themselves.
 *
 * projection row: Δ_low (dtRank) | B (states) | C (states). `order` (0: raster) is the pixel of each step; `classOf`
 * (0: all of class 0) and `prompt` (0: none) add prompt[class of raster pixel p] to C at step p: the prompt is not permuted.
 * Weights per group: dtWeight [group][dtRank][4], dtBias, skip [group][4], a [group][statesPadded][4] (·log2 e),
 * state [group][statesPadded][4]. Strides in bytes.
 */
export function selectiveScan(
  u: usize, uStride: usize, projection: usize, projectionStride: usize, order: usize, classOf: usize, prompt: usize,
  y: usize, yStride: usize, first: i32, count: i32, firstGroup: i32, groups: i32, dtRank: i32, states: i32,
  dtWeight: usize, dtBias: usize, a: usize, tied: usize, skip: usize, state: usize, scratch: usize,
): void {
  const statesPadded = (states + 3) & ~3;
  const rankBytes = <usize>dtRank << 2;
  const rowBytes = rankBytes + (<usize>statesPadded << 3);
  const lastOfRow = rankBytes + (<usize>states << 3) - 4;
  const uBytes = <usize>groups << 4;
  const rows = scratch;
  const us = rows + <usize>blockTokens * rowBytes;
  const deltas = us + <usize>blockTokens * uBytes;
  const inputs = deltas + (blockTokens << 4);
  const ys = inputs + (blockTokens << 4);
  const decays = ys + (blockTokens << 4);
  const unused = decays + (blockTokens << 7);
  const channelOffset = <usize>firstGroup << 4;

  const magic = splatAt(6), least = splatAt(8);
  const c0 = splatAt(0), c1 = splatAt(1), c2 = splatAt(2), c3 = splatAt(3), c4 = splatAt(4), c5 = splatAt(5);

  while (count > 0) {
    const tokens = min(count, blockTokens);

    let row = rows;
    let uRow = us;
    for (let t = 0; t < tokens; t++) {
      const step = first + t;
      const pixel = order === 0 ? step : load<i32>(order + (<usize>step << 2));
      const from = projection + <usize>pixel * projectionStride;
      for (let r: usize = 0; r < rankBytes; r += 4) store<f32>(row + r, load<f32>(from + r));
      const b = row + rankBytes;
      const c = b + (<usize>statesPadded << 2);
      const bFrom = from + rankBytes;
      const cFrom = bFrom + (<usize>states << 2);
      if (prompt === 0) {
        for (let n: usize = 0; n < <usize>statesPadded << 2; n += 4) {
          const real = n < <usize>states << 2;
          store<f32>(b + n, real ? load<f32>(bFrom + n) : 0);
          store<f32>(c + n, real ? load<f32>(cFrom + n) : 0);
        }
      } else {
        const extra = prompt + <usize>((classOf === 0 ? 0 : load<i32>(classOf + (<usize>step << 2))) * statesPadded << 2);
        if (states === statesPadded) {
          for (let n: usize = 0; n < <usize>states << 2; n += 16) {
            v128.store(b + n, v128.load(bFrom + n));
            v128.store(c + n, f32x4.add(v128.load(cFrom + n), v128.load(extra + n)));
          }
        } else {
          for (let n: usize = 0; n < <usize>statesPadded << 2; n += 4) {
            const real = n < <usize>states << 2;
            store<f32>(b + n, real ? load<f32>(bFrom + n) : 0);
            store<f32>(c + n, real ? load<f32>(cFrom + n) + load<f32>(extra + n) : 0);
          }
        }
      }
      row += rowBytes;
      if (order !== 0) {
        const uFrom = u + <usize>pixel * uStride + channelOffset;
        for (let o: usize = 0; o < uBytes; o += 16) v128.store(uRow + o, v128.load(uFrom + o));
        uRow += uBytes;
      }
    }

    let ahead = first + tokens;
    const aheadEnd = order === 0 ? 0 : ahead + min(count - tokens, blockTokens);
    const aheadPerGroup = (blockTokens + groups - 1) / groups;
    for (let group = 0; group < groups; group++) {
      const g = <usize>(firstGroup + group);

      let bits = 0;
      for (const end = min(ahead + aheadPerGroup, aheadEnd); ahead < end; ahead++) {
        const pixel = <usize>load<i32>(order + (<usize>ahead << 2));
        const from = projection + pixel * projectionStride;
        bits |= load<i32>(from) | load<i32>(from + lastOfRow);
        const uFrom = u + pixel * uStride + channelOffset;
        for (let o: usize = 0; o < uBytes; o += 64) bits |= load<i32>(uFrom + o);
      }
      store<i32>(unused, bits);

      const bias = v128.load(dtBias + (g << 4));
      const d = v128.load(skip + (g << 4));
      const dtw = dtWeight + ((g * dtRank) << 4);

      row = rows;
      uRow = (order === 0 ? u + <usize>first * uStride + channelOffset : us) + (<usize>group << 4);
      const uStep = order === 0 ? uStride : uBytes;
      const yRow = order === 0 ? y + <usize>first * yStride + (g << 4) : ys;
      const yStep: usize = order === 0 ? yStride : 16;
      let yTo = yRow;
      for (let o: usize = 0; o < <usize>tokens << 4; o += 16) {
        let z = bias;
        let w = dtw;
        let r = row;
        const end = r + rankBytes;
        do {
          z = madd(v128.load32_splat(r), v128.load(w), z);
          r += 4;
          w += 16;
        } while (r < end);
        const delta = softplusWith(z, least, magic, c0, c1, c2, c3, c4, c5);
        const value = v128.load(uRow);
        v128.store(deltas + o, delta);
        v128.store(inputs + o, f32x4.mul(delta, value));
        v128.store(yTo, f32x4.mul(d, value));
        row += rowBytes;
        uRow += uStep;
        yTo += yStep;
      }

      for (let n = 0; n < statesPadded;) {
        const chunk = n + 8 <= statesPadded ? 8 : 4;
        const aFrom = a + ((g * statesPadded + <usize>n) << 4);
        // Decays of the block, [token][own][4]: of tied states only the first's.
        const isTied = load<f32>(tied + (g << 2)) !== 0;
        const ownBytes: usize = isTied ? 16 : <usize>chunk << 4;
        for (let k: usize = 0; k < ownBytes; k += 16) {
          const an = v128.load(aFrom + k);
          let to = decays + k;
          let from = deltas;
          const end = deltas + (<usize>tokens << 4);
          do {
            const x = f32x4.pmax(least, f32x4.mul(v128.load(from), an));
            v128.store(to, exp2With(x, magic, c0, c1, c2, c3, c4, c5));
            from += 16;
            to += ownBytes;
          } while (from < end);
        }
        let decay = decays;
        let input = inputs;
        let to = yRow;
        let b = rows + rankBytes + (<usize>n << 2);
        let c = b + (<usize>statesPadded << 2);
        const h = state + ((g * statesPadded + <usize>n) << 4);
        const end = to + <usize>tokens * yStep;
        if (chunk === 8) {
          let h0 = v128.load(h), h1 = v128.load(h, 16), h2 = v128.load(h, 32), h3 = v128.load(h, 48);
          let h4 = v128.load(h, 64), h5 = v128.load(h, 80), h6 = v128.load(h, 96), h7 = v128.load(h, 112);
          if (isTied) {
            do {
              const x = v128.load(input);
              let sum = v128.load(to);
              const p1 = v128.load(decay);
              h0 = madd(h0, p1, f32x4.mul(x, v128.load32_splat(b)));
              sum = madd(h0, v128.load32_splat(c), sum);
              const p2 = f32x4.mul(p1, p1);
              h1 = madd(h1, p2, f32x4.mul(x, v128.load32_splat(b, 4)));
              sum = madd(h1, v128.load32_splat(c, 4), sum);
              const p3 = f32x4.mul(p2, p1);
              h2 = madd(h2, p3, f32x4.mul(x, v128.load32_splat(b, 8)));
              sum = madd(h2, v128.load32_splat(c, 8), sum);
              const p4 = f32x4.mul(p2, p2);
              h3 = madd(h3, p4, f32x4.mul(x, v128.load32_splat(b, 12)));
              sum = madd(h3, v128.load32_splat(c, 12), sum);
              h4 = madd(h4, f32x4.mul(p4, p1), f32x4.mul(x, v128.load32_splat(b, 16)));
              sum = madd(h4, v128.load32_splat(c, 16), sum);
              h5 = madd(h5, f32x4.mul(p4, p2), f32x4.mul(x, v128.load32_splat(b, 20)));
              sum = madd(h5, v128.load32_splat(c, 20), sum);
              h6 = madd(h6, f32x4.mul(p4, p3), f32x4.mul(x, v128.load32_splat(b, 24)));
              sum = madd(h6, v128.load32_splat(c, 24), sum);
              h7 = madd(h7, f32x4.mul(p4, p4), f32x4.mul(x, v128.load32_splat(b, 28)));
              sum = madd(h7, v128.load32_splat(c, 28), sum);
              v128.store(to, sum);
              to += yStep;
              input += 16;
              decay += 16;
              b += rowBytes;
              c += rowBytes;
            } while (to < end);
          } else {
            do {
              const x = v128.load(input);
              let sum = v128.load(to);
              h0 = madd(h0, v128.load(decay), f32x4.mul(x, v128.load32_splat(b)));
              sum = madd(h0, v128.load32_splat(c), sum);
              h1 = madd(h1, v128.load(decay, 16), f32x4.mul(x, v128.load32_splat(b, 4)));
              sum = madd(h1, v128.load32_splat(c, 4), sum);
              h2 = madd(h2, v128.load(decay, 32), f32x4.mul(x, v128.load32_splat(b, 8)));
              sum = madd(h2, v128.load32_splat(c, 8), sum);
              h3 = madd(h3, v128.load(decay, 48), f32x4.mul(x, v128.load32_splat(b, 12)));
              sum = madd(h3, v128.load32_splat(c, 12), sum);
              h4 = madd(h4, v128.load(decay, 64), f32x4.mul(x, v128.load32_splat(b, 16)));
              sum = madd(h4, v128.load32_splat(c, 16), sum);
              h5 = madd(h5, v128.load(decay, 80), f32x4.mul(x, v128.load32_splat(b, 20)));
              sum = madd(h5, v128.load32_splat(c, 20), sum);
              h6 = madd(h6, v128.load(decay, 96), f32x4.mul(x, v128.load32_splat(b, 24)));
              sum = madd(h6, v128.load32_splat(c, 24), sum);
              h7 = madd(h7, v128.load(decay, 112), f32x4.mul(x, v128.load32_splat(b, 28)));
              sum = madd(h7, v128.load32_splat(c, 28), sum);
              v128.store(to, sum);
              to += yStep;
              input += 16;
              decay += 128;
              b += rowBytes;
              c += rowBytes;
            } while (to < end);
          }
          storeState(h, h0, h1, h2, h3);
          storeState(h + 64, h4, h5, h6, h7);
        } else {
          let h0 = v128.load(h), h1 = v128.load(h, 16), h2 = v128.load(h, 32), h3 = v128.load(h, 48);
          do {
            const x = v128.load(input);
            let sum = v128.load(to);
            h0 = madd(h0, v128.load(decay), f32x4.mul(x, v128.load32_splat(b)));
            sum = madd(h0, v128.load32_splat(c), sum);
            h1 = madd(h1, v128.load(decay, 16), f32x4.mul(x, v128.load32_splat(b, 4)));
            sum = madd(h1, v128.load32_splat(c, 4), sum);
            h2 = madd(h2, v128.load(decay, 32), f32x4.mul(x, v128.load32_splat(b, 8)));
            sum = madd(h2, v128.load32_splat(c, 8), sum);
            h3 = madd(h3, v128.load(decay, 48), f32x4.mul(x, v128.load32_splat(b, 12)));
            sum = madd(h3, v128.load32_splat(c, 12), sum);
            v128.store(to, sum);
            to += yStep;
            input += 16;
            decay += 64;
            b += rowBytes;
            c += rowBytes;
          } while (to < end);
          storeState(h, h0, h1, h2, h3);
        }
        n += chunk;
      }

      if (order !== 0) {
        for (let t = 0; t < tokens; t++) {
          const pixel = load<i32>(order + (<usize>(first + t) << 2));
          v128.store(y + <usize>pixel * yStride + (g << 4), v128.load(ys + (<usize>t << 4)));
        }
      }
    }
    first += tokens;
    count -= tokens;
  }
}

/** Stores four states; those below 1e-30 become 0, since WebAssembly cannot flush denormals and some cores crawl on them. */
// @ts-ignore: decorator
@inline
function storeState(to: usize, h0: v128, h1: v128, h2: v128, h3: v128): void {
  const least = f32x4.splat(1e-30);
  v128.store(to, v128.and(h0, f32x4.ge(f32x4.abs(h0), least)));
  v128.store(to, v128.and(h1, f32x4.ge(f32x4.abs(h1), least)), 16);
  v128.store(to, v128.and(h2, f32x4.ge(f32x4.abs(h2), least)), 32);
  v128.store(to, v128.and(h3, f32x4.ge(f32x4.abs(h3), least)), 48);
}

/** Sets `bytes` bytes to 0: the state before the first step. */
export function fillZero(at: usize, bytes: usize): void {
  memory.fill(at, 0, bytes);
}

import { exp2With, madd, splatAt } from '../simd.wasm';

// @ts-ignore: decorator
@inline
const maskScore: f32 = -100 * 1.4426950408889634;

/** Scores up to this (in powers of two) neither overflow nor vanish without their maximum subtracted. */
// @ts-ignore: decorator
@inline
const boundedScore: f32 = 64;

// @ts-ignore: decorator
@inline
function largestLane(v: v128): f32 {
  return max<f32>(
    max<f32>(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    max<f32>(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
  );
}

/**
 * All heads of one window: softmax(q·kᵀ/√d + bias (+ mask))·v, read from and written to the maps in place of the
 * cyclic shift and the cut into windows.
 *
 * Scores are kept transposed, [key][8 queries], so that soft-max runs down the lanes without horizontal sums, and both
 * products are 4 × 8 tiles (8 accumulators). Eight queries are two vectors of four neighbours in a window row: their
 * relative position biases for one key are four neighbours in the table, so a score tile *starts* as the bias.
 * Everything is in powers of two: the caller scales q·kᵀ (`scale`) and the table by log2 e.
 *
 * The maximum is subtracted only where |q|·|k| and the largest bias do not already bound the scores.
 *
 * `qkv` and `out` are whole maps, or start at the window and have `qkvColumns`, `outColumns` pixels in a row.
 * qkv row: q|k|v of `channels` each, head-major. Table: [head][(2ws−1)²] with `tableStride` bytes a head, three
 * readable values behind the last, and at the end of a head the largest absolute bias. Memory: K transposed [d][n], V [n][d padded], one query panel [d][8], scores [n][8].
 * Mask (only where a shifted window wraps): −100 between pixels of different regions, before the maximum.
 */
export function windowAttention(
  qkv: usize, qkvStride: usize, qkvColumns: i32, out: usize, outStride: usize, outColumns: i32,
  height: i32, width: i32, channels: i32, heads: i32, windowSize: i32, shift: i32, window: i32, scale: f32, table: usize, tableStride: usize, scratch: usize,
): void {
  const n = windowSize * windowSize;
  const padded = (n + 3) & ~3;
  const headSize = channels / heads;
  const headPadded = (headSize + 3) & ~3;
  const side = 2 * windowSize - 1;
  const nBytes = <usize>padded << 2;
  const vBytes = <usize>headPadded << 2;

  const keys = scratch;
  const values = keys + <usize>headSize * nBytes;
  const queries = values + <usize>padded * vBytes;
  const scores = queries + (<usize>headSize << 5);
  const pixels = scores + (<usize>n << 5);
  const offsets = pixels + nBytes + 16;
  const regions = offsets + nBytes + 16;
  const outPixels = regions + nBytes + 16;

  const perRow = width / windowSize;
  const windowY = window / perRow;
  const windowX = window % perRow;
  const wrapsY = shift > 0 && windowY === height / windowSize - 1;
  const wrapsX = shift > 0 && windowX === perRow - 1;
  const masked = wrapsY || wrapsX;
  const half = windowSize - (windowSize >> 1);

  let mapY = windowY * windowSize + shift;
  for (let y = 0, at: usize = 0; y < windowSize; y++, mapY++) {
    if (mapY >= height) mapY -= height;
    const regionY = wrapsY ? (y < half ? 3 : 6) : 0;
    let mapX = windowX * windowSize + shift;
    for (let x = 0; x < windowSize; x++, mapX++, at += 4) {
      if (mapX >= width) mapX -= width;
      const pixel = mapY * width + mapX;
      store<i32>(pixels + at, qkvColumns === 0 ? pixel : y * qkvColumns + x);
      store<i32>(outPixels + at, outColumns === 0 ? pixel : y * outColumns + x);
      store<i32>(offsets + at, (y * side + x) << 2);
      store<i32>(regions + at, wrapsX ? regionY + (x < half ? 1 : 2) : regionY);
    }
  }

  const magic = splatAt(6), least = splatAt(8);
  const c0 = splatAt(0), c1 = splatAt(1), c2 = splatAt(2), c3 = splatAt(3), c4 = splatAt(4), c5 = splatAt(5);
  const vectorsPerRow = (windowSize + 3) >> 2;
  const vectors = windowSize * vectorsPerRow;
  const scoresEnd = scores + (<usize>n << 5);
  const keysEnd = keys + <usize>headSize * nBytes;
  const zero = f32x4.splat(0);

  for (let head = 0; head < heads; head++) {
    // K transposed and V gap-free; behind n the last pixel again. Vectors may hold values behind the head: those of V are summed in vain, not stored.
    const headOffset = <usize>(head * headSize) << 2;
    const keyOffset = headOffset + (<usize>channels << 2);
    const valueOffset = headOffset + (<usize>channels << 3);
    for (let i = 0; i < n; i += 4) {
      const at = pixels + (<usize>i << 2);
      const last = n - 1 - i;
      const p0 = qkv + <usize>load<i32>(at) * qkvStride;
      const p1 = qkv + <usize>load<i32>(at + (<usize>min(1, last) << 2)) * qkvStride;
      const p2 = qkv + <usize>load<i32>(at + (<usize>min(2, last) << 2)) * qkvStride;
      const p3 = qkv + <usize>load<i32>(at + (<usize>min(3, last) << 2)) * qkvStride;
      const kTo = keys + (<usize>i << 2);
      storeTransposed(p0 + keyOffset, p1 + keyOffset, p2 + keyOffset, p3 + keyOffset, headSize, kTo, nBytes);
      let to = values + <usize>i * vBytes;
      for (let e: usize = 0; e < vBytes; e += 16) {
        const from = valueOffset + e;
        v128.store(to, v128.load(p0 + from));
        v128.store(to + vBytes, v128.load(p1 + from));
        v128.store(to + 2 * vBytes, v128.load(p2 + from));
        v128.store(to + 3 * vBytes, v128.load(p3 + from));
        to += 16;
      }
    }

    let kSquares = zero;
    for (let key: usize = 0; key < nBytes; key += 16) {
      let squares = zero;
      for (let k = keys + key; k < keysEnd; k += nBytes) {
        const v = v128.load(k);
        squares = madd(v, v, squares);
      }
      kSquares = f32x4.pmax(kSquares, squares);
    }
    const largestKey = largestLane(kSquares);
    const largestBias = load<f32>(table + tableStride - 4);

    for (let vector = 0; vector < vectors; vector += 2) {
      const y0 = vector / vectorsPerRow;
      const x0 = (vector % vectorsPerRow) << 2;
      // An odd count leaves the last panel half empty: its second half repeats the first and is not stored.
      const second = vector + 1 < vectors ? vector + 1 : vector;
      const y1 = second / vectorsPerRow;
      const x1 = (second % vectorsPerRow) << 2;
      const lanes0 = min(windowSize - x0, 4);
      const lanes1 = min(windowSize - x1, 4);

      for (let lane = 0; lane < 8; lane++) {
        const l = lane & 3;
        const inside = lane < 4 ? l < lanes0 : l < lanes1;
        const i = lane < 4 ? y0 * windowSize + x0 + l : y1 * windowSize + x1 + l;
        let to = queries + (<usize>lane << 2);
        if (inside) {
          const from = qkv + <usize>load<i32>(pixels + (<usize>i << 2)) * qkvStride + headOffset;
          for (let e: usize = 0; e < <usize>headSize << 2; e += 4) {
            store<f32>(to, load<f32>(from + e) * scale);
            to += 32;
          }
        } else {
          for (let e = 0; e < headSize; e++) {
            store<f32>(to, 0);
            to += 32;
          }
        }
      }

      // |q·k| ≤ |q|·|k|: small scores need no maximum before the exponential.
      let q0Squares = zero, q1Squares = zero;
      const queriesEnd = queries + (<usize>headSize << 5);
      for (let q = queries; q < queriesEnd; q += 32) {
        const q0 = v128.load(q), q1 = v128.load(q, 16);
        q0Squares = madd(q0, q0, q0Squares);
        q1Squares = madd(q1, q1, q1Squares);
      }
      const largestQuery = largestLane(f32x4.pmax(q0Squares, q1Squares));
      const bounded = !masked && sqrt<f32>(largestQuery * largestKey) + largestBias <= boundedScore;

      // Scores, four keys at a time.
      const bias0 = table + (<usize>((y0 + windowSize - 1) * side + x0 + windowSize - 1) << 2);
      const bias1 = table + (<usize>((y1 + windowSize - 1) * side + x1 + windowSize - 1) << 2);
      let to = scores;
      let key = 0;
      for (; key + 4 <= n; key += 4) {
        const at = offsets + (<usize>key << 2);
        let o = <usize>load<i32>(at);
        let a00 = v128.load(bias0 - o), a01 = v128.load(bias1 - o);
        o = <usize>load<i32>(at, 4);
        let a10 = v128.load(bias0 - o), a11 = v128.load(bias1 - o);
        o = <usize>load<i32>(at, 8);
        let a20 = v128.load(bias0 - o), a21 = v128.load(bias1 - o);
        o = <usize>load<i32>(at, 12);
        let a30 = v128.load(bias0 - o), a31 = v128.load(bias1 - o);
        let q = queries;
        let k = keys + (<usize>key << 2);
        do {
          const q0 = v128.load(q);
          const q1 = v128.load(q, 16);
          let v = v128.load32_splat(k);
          a00 = madd(v, q0, a00);
          a01 = madd(v, q1, a01);
          v = v128.load32_splat(k, 4);
          a10 = madd(v, q0, a10);
          a11 = madd(v, q1, a11);
          v = v128.load32_splat(k, 8);
          a20 = madd(v, q0, a20);
          a21 = madd(v, q1, a21);
          v = v128.load32_splat(k, 12);
          a30 = madd(v, q0, a30);
          a31 = madd(v, q1, a31);
          q += 32;
          k += nBytes;
        } while (q < queriesEnd);
        v128.store(to, a00);
        v128.store(to, a01, 16);
        v128.store(to, a10, 32);
        v128.store(to, a11, 48);
        v128.store(to, a20, 64);
        v128.store(to, a21, 80);
        v128.store(to, a30, 96);
        v128.store(to, a31, 112);
        to += 128;
      }
      for (; key < n; key++) {
        const o = <usize>load<i32>(offsets + (<usize>key << 2));
        let a0 = v128.load(bias0 - o), a1 = v128.load(bias1 - o);
        let q = queries;
        let k = keys + (<usize>key << 2);
        do {
          const v = v128.load32_splat(k);
          a0 = madd(v, v128.load(q), a0);
          a1 = madd(v, v128.load(q, 16), a1);
          q += 32;
          k += nBytes;
        } while (q < queriesEnd);
        v128.store(to, a0);
        v128.store(to, a1, 16);
        to += 32;
      }

      let m0 = f32x4.splat(-1e30), m1 = m0;
      if (!bounded) {
        const region0 = v128.load(regions + (<usize>(y0 * windowSize + x0) << 2));
        const region1 = v128.load(regions + (<usize>(y1 * windowSize + x1) << 2));
        const penalty = f32x4.splat(masked ? maskScore : 0);
        let s = scores;
        let region = regions;
        do {
          const r = v128.load32_splat(region);
          const s0 = f32x4.add(v128.load(s), v128.and(i32x4.ne(r, region0), penalty));
          const s1 = f32x4.add(v128.load(s, 16), v128.and(i32x4.ne(r, region1), penalty));
          v128.store(s, s0);
          v128.store(s, s1, 16);
          m0 = f32x4.pmax(m0, s0);
          m1 = f32x4.pmax(m1, s1);
          s += 32;
          region += 4;
        } while (s < scoresEnd);
      }

      // Exponentials and their sums; one vector of queries at a time keeps all constants in registers.
      let sum0 = zero, sum1 = zero;
      if (bounded) {
        let s = scores;
        do {
          const p = exp2With(v128.load(s), magic, c0, c1, c2, c3, c4, c5);
          sum0 = f32x4.add(sum0, p);
          v128.store(s, p);
          s += 32;
        } while (s < scoresEnd);
        s = scores;
        do {
          const p = exp2With(v128.load(s, 16), magic, c0, c1, c2, c3, c4, c5);
          sum1 = f32x4.add(sum1, p);
          v128.store(s, p, 16);
          s += 32;
        } while (s < scoresEnd);
      } else {
        let s = scores;
        do {
          const x = f32x4.pmax(least, f32x4.sub(v128.load(s), m0));
          const p = exp2With(x, magic, c0, c1, c2, c3, c4, c5);
          sum0 = f32x4.add(sum0, p);
          v128.store(s, p);
          s += 32;
        } while (s < scoresEnd);
        s = scores;
        do {
          const x = f32x4.pmax(least, f32x4.sub(v128.load(s, 16), m1));
          const p = exp2With(x, magic, c0, c1, c2, c3, c4, c5);
          sum1 = f32x4.add(sum1, p);
          v128.store(s, p, 16);
          s += 32;
        } while (s < scoresEnd);
      }
      const one = f32x4.splat(1);
      const r0 = f32x4.div(one, sum0);
      const r1 = f32x4.div(one, sum1);

      // Values, four channels at a time.
      for (let channel = 0; channel < headSize; channel += 4) {
        let a00 = f32x4.splat(0), a01 = a00, a10 = a00, a11 = a00, a20 = a00, a21 = a00, a30 = a00, a31 = a00;
        let p = scores;
        let v = values + (<usize>channel << 2);
        do {
          const p0 = v128.load(p);
          const p1 = v128.load(p, 16);
          let x = v128.load32_splat(v);
          a00 = madd(x, p0, a00);
          a01 = madd(x, p1, a01);
          x = v128.load32_splat(v, 4);
          a10 = madd(x, p0, a10);
          a11 = madd(x, p1, a11);
          x = v128.load32_splat(v, 8);
          a20 = madd(x, p0, a20);
          a21 = madd(x, p1, a21);
          x = v128.load32_splat(v, 12);
          a30 = madd(x, p0, a30);
          a31 = madd(x, p1, a31);
          p += 32;
          v += vBytes;
        } while (p < scoresEnd);
        const to = out + headOffset + (<usize>channel << 2);
        const left = min(headSize - channel, 4);
        storeQueries(
          f32x4.mul(a00, r0), f32x4.mul(a10, r0), f32x4.mul(a20, r0), f32x4.mul(a30, r0),
          to, outStride, outPixels + (<usize>(y0 * windowSize + x0) << 2), lanes0, left,
        );
        if (second !== vector) {
          storeQueries(
            f32x4.mul(a01, r1), f32x4.mul(a11, r1), f32x4.mul(a21, r1), f32x4.mul(a31, r1),
            to, outStride, outPixels + (<usize>(y1 * windowSize + x1) << 2), lanes1, left,
          );
        }
      }
    }
    table += tableStride;
  }
}

/** K of four pixels (a pixel a lane): row e of `to` is value e of the head. */
// @ts-ignore: decorator
@inline
function storeTransposed(p0: usize, p1: usize, p2: usize, p3: usize, headSize: i32, to: usize, toStride: usize): void {
  for (let e = 0; e < headSize; e += 4) {
    const at = <usize>e << 2;
    const v0 = v128.load(p0 + at), v1 = v128.load(p1 + at), v2 = v128.load(p2 + at), v3 = v128.load(p3 + at);
    const ab0 = v128.shuffle<f32>(v0, v1, 0, 4, 1, 5);
    const ab1 = v128.shuffle<f32>(v0, v1, 2, 6, 3, 7);
    const cd0 = v128.shuffle<f32>(v2, v3, 0, 4, 1, 5);
    const cd1 = v128.shuffle<f32>(v2, v3, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5));
    to += toStride;
    if (e + 1 < headSize) v128.store(to, v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7));
    to += toStride;
    if (e + 2 < headSize) v128.store(to, v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5));
    to += toStride;
    if (e + 3 < headSize) v128.store(to, v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7));
    to += toStride;
  }
}

/** Stores up to four channels (vectors c0…c3, a query a lane) to the rows of up to four queries. */
function storeQueries(
  c0: v128, c1: v128, c2: v128, c3: v128, out: usize, outStride: usize, pixels: usize, queries: i32, channels: i32,
): void {
  const ab0 = v128.shuffle<f32>(c0, c1, 0, 4, 1, 5);
  const ab1 = v128.shuffle<f32>(c0, c1, 2, 6, 3, 7);
  const cd0 = v128.shuffle<f32>(c2, c3, 0, 4, 1, 5);
  const cd1 = v128.shuffle<f32>(c2, c3, 2, 6, 3, 7);
  for (let q = 0; q < queries; q++) {
    const row =
      q === 0 ? v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5)
      : q === 1 ? v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7)
      : q === 2 ? v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5)
      : v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7);
    const to = out + <usize>load<i32>(pixels + (<usize>q << 2)) * outStride;
    if (channels === 4) {
      v128.store(to, row);
    } else {
      // A whole vector would run into the next head or the next pixel.
      store<f32>(to, f32x4.extract_lane(row, 0));
      if (channels > 1) store<f32>(to, f32x4.extract_lane(row, 1), 4);
      if (channels > 2) store<f32>(to, f32x4.extract_lane(row, 2), 8);
    }
  }
}

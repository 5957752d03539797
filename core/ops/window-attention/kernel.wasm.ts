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
 * readable values behind the last, and at the end of a head the largest absolute bias.
 * Mask (only where a shifted window wraps): −100 between pixels of different regions, before the maximum.
 *
 * Memory, n rounded up to fours: K [quad of keys][d][4], V [n][d padded], Q [panel][d][8], scores [n][8], then of each
 * pixel its rows in `qkv` and `out`, the offset of its biases and its region.
 */
export function windowAttention(
  qkv: usize, qkvStride: usize, qkvColumns: i32, out: usize, outStride: usize, outColumns: i32,
  height: i32, width: i32, channels: i32, heads: i32, windowSize: i32, shift: i32, window: i32,
  scale: f32, table: usize, tableStride: usize, scratch: usize,
): void {
  const n = windowSize * windowSize;
  const padded = (n + 3) & ~3;
  const headSize = channels / heads;
  const side = 2 * windowSize - 1;
  const vBytes = <usize>((headSize + 3) & ~3) << 2;
  const quadBytes = <usize>headSize << 4;
  const panelBytes = quadBytes << 1;
  const vectorsPerRow = (windowSize + 3) >> 2;
  const vectors = windowSize * vectorsPerRow;
  const nBytes = <usize>padded << 2;

  const keys = scratch;
  const values = keys + (<usize>padded >> 2) * quadBytes;
  const queries = values + <usize>padded * vBytes;
  const scores = queries + <usize>((vectors + 1) >> 1) * panelBytes;
  const scoresEnd = scores + (<usize>n << 5);
  const rows = scores + (<usize>padded << 5);
  const outRows = rows + nBytes + 16;
  const offsets = outRows + nBytes + 16;
  const regions = offsets + nBytes + 16;

  const perRow = width / windowSize;
  const windowY = window / perRow;
  const windowX = window % perRow;
  const wrapsY = shift > 0 && windowY === height / windowSize - 1;
  const wrapsX = shift > 0 && windowX === perRow - 1;
  const masked = wrapsY || wrapsX;
  const half = windowSize - (windowSize >> 1);

  let mapY = windowY * windowSize + shift;
  let place: usize = 0;
  for (let y = 0; y < windowSize; y++, mapY++) {
    if (mapY >= height) mapY -= height;
    const regionY = wrapsY ? (y < half ? 3 : 6) : 0;
    let mapX = windowX * windowSize + shift;
    for (let x = 0; x < windowSize; x++, mapX++, place += 4) {
      if (mapX >= width) mapX -= width;
      const pixel = mapY * width + mapX;
      store<usize>(rows + place, qkv + <usize>(qkvColumns === 0 ? pixel : y * qkvColumns + x) * qkvStride);
      store<usize>(outRows + place, out + <usize>(outColumns === 0 ? pixel : y * outColumns + x) * outStride);
      store<i32>(offsets + place, (y * side + x) << 2);
      store<i32>(regions + place, wrapsX ? regionY + (x < half ? 1 : 2) : regionY);
    }
  }
  // Behind n the last pixel again: its scores are computed, and not used.
  for (; place < nBytes; place += 4) {
    store<usize>(rows + place, load<usize>(rows + place - 4));
    store<i32>(offsets + place, load<i32>(offsets + place - 4));
  }

  const magic = splatAt(6), least = splatAt(8);
  const c0 = splatAt(0), c1 = splatAt(1), c2 = splatAt(2), c3 = splatAt(3), c4 = splatAt(4), c5 = splatAt(5);
  const zero = f32x4.splat(0);
  const scales = f32x4.splat(scale);

  for (let head = 0; head < heads; head++) {
    // Vectors may hold values behind the head: those of V are summed in vain, not stored.
    const headOffset = <usize>(head * headSize) << 2;
    const keyOffset = headOffset + (<usize>channels << 2);
    const valueOffset = headOffset + (<usize>channels << 3);
    let quad = keys;
    let value = values;
    let kSquares = zero;
    for (let row = rows; row < rows + nBytes; row += 16) {
      const p0 = load<usize>(row), p1 = load<usize>(row, 4), p2 = load<usize>(row, 8), p3 = load<usize>(row, 12);
      storeTransposed(p0 + keyOffset, p1 + keyOffset, p2 + keyOffset, p3 + keyOffset, headSize, scales, quad, 16);
      kSquares = f32x4.pmax(kSquares, sumOfSquares(quad, quadBytes, 16));
      quad += quadBytes;
      for (let e: usize = 0; e < vBytes; e += 16) {
        const from = valueOffset + e;
        const to = value + e;
        v128.store(to, v128.load(p0 + from));
        v128.store(to + vBytes, v128.load(p1 + from));
        v128.store(to + 2 * vBytes, v128.load(p2 + from));
        v128.store(to + 3 * vBytes, v128.load(p3 + from));
      }
      value += vBytes << 2;
    }

    // Behind the end of a window's row its last pixel again.
    let qSquares = zero;
    for (let vector = 0; vector < vectors; vector++) {
      const y = vector / vectorsPerRow;
      const x = (vector - y * vectorsPerRow) << 2;
      const row = rows + (<usize>(y * windowSize + x) << 2);
      const last = windowSize - 1 - x;
      const p0 = load<usize>(row) + headOffset;
      const p1 = load<usize>(row + (<usize>min(1, last) << 2)) + headOffset;
      const p2 = load<usize>(row + (<usize>min(2, last) << 2)) + headOffset;
      const p3 = load<usize>(row + (<usize>min(3, last) << 2)) + headOffset;
      const to = queries + <usize>(vector >> 1) * panelBytes;
      storeTransposed(p0, p1, p2, p3, headSize, splatAt(0), to + (<usize>(vector & 1) << 4), 32);
      // An odd count leaves the last panel half empty: its second half repeats the first and is not stored.
      if (vector === vectors - 1 && (vector & 1) === 0) storeTransposed(p0, p1, p2, p3, headSize, splatAt(0), to + 16, 32);
      qSquares = f32x4.pmax(qSquares, sumOfSquares(to + (<usize>(vector & 1) << 4), panelBytes, 32));
    }
    // |q·k| ≤ |q|·|k|: small scores need no maximum before the exponential.
    const largest = sqrt<f32>(largestLane(qSquares) * largestLane(kSquares)) + load<f32>(table + tableStride - 4);
    const bounded = !masked && largest <= boundedScore;

    let panel = queries;
    for (let vector = 0; vector < vectors; vector += 2) {
      const y0 = vector / vectorsPerRow;
      const x0 = (vector - y0 * vectorsPerRow) << 2;
      const second = vector + 1 < vectors ? vector + 1 : vector;
      const y1 = second / vectorsPerRow;
      const x1 = (second - y1 * vectorsPerRow) << 2;
      const panelEnd = panel + panelBytes;

      // Scores, four keys at a time.
      const bias0 = table + (<usize>((y0 + windowSize - 1) * side + x0 + windowSize - 1) << 2);
      const bias1 = table + (<usize>((y1 + windowSize - 1) * side + x1 + windowSize - 1) << 2);
      let to = scores;
      let k = keys;
      let offset = offsets;
      do {
        let o = load<usize>(offset);
        let a00 = v128.load(bias0 - o), a01 = v128.load(bias1 - o);
        o = load<usize>(offset, 4);
        let a10 = v128.load(bias0 - o), a11 = v128.load(bias1 - o);
        o = load<usize>(offset, 8);
        let a20 = v128.load(bias0 - o), a21 = v128.load(bias1 - o);
        o = load<usize>(offset, 12);
        let a30 = v128.load(bias0 - o), a31 = v128.load(bias1 - o);
        let q = panel;
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
          k += 16;
        } while (q < panelEnd);
        v128.store(to, a00);
        v128.store(to, a01, 16);
        v128.store(to, a10, 32);
        v128.store(to, a11, 48);
        v128.store(to, a20, 64);
        v128.store(to, a21, 80);
        v128.store(to, a30, 96);
        v128.store(to, a31, 112);
        to += 128;
        offset += 16;
      } while (to < scoresEnd);

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

      // Exponentials and their sums.
      let sum0 = zero, sum1 = zero;
      let s = scores;
      if (bounded) {
        do {
          const p0 = exp2With(v128.load(s), magic, c0, c1, c2, c3, c4, c5);
          const p1 = exp2With(v128.load(s, 16), magic, c0, c1, c2, c3, c4, c5);
          sum0 = f32x4.add(sum0, p0);
          sum1 = f32x4.add(sum1, p1);
          v128.store(s, p0);
          v128.store(s, p1, 16);
          s += 32;
        } while (s < scoresEnd);
      } else {
        do {
          const e0 = f32x4.pmax(least, f32x4.sub(v128.load(s), m0));
          const e1 = f32x4.pmax(least, f32x4.sub(v128.load(s, 16), m1));
          const p0 = exp2With(e0, magic, c0, c1, c2, c3, c4, c5);
          const p1 = exp2With(e1, magic, c0, c1, c2, c3, c4, c5);
          sum0 = f32x4.add(sum0, p0);
          sum1 = f32x4.add(sum1, p1);
          v128.store(s, p0);
          v128.store(s, p1, 16);
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
        const to = headOffset + (<usize>channel << 2);
        const left = headSize - channel;
        a00 = f32x4.mul(a00, r0);
        a10 = f32x4.mul(a10, r0);
        a20 = f32x4.mul(a20, r0);
        a30 = f32x4.mul(a30, r0);
        storeQueries(a00, a10, a20, a30, to, outRows + (<usize>(y0 * windowSize + x0) << 2), windowSize - x0, left);
        if (second !== vector) {
          a01 = f32x4.mul(a01, r1);
          a11 = f32x4.mul(a11, r1);
          a21 = f32x4.mul(a21, r1);
          a31 = f32x4.mul(a31, r1);
          storeQueries(a01, a11, a21, a31, to, outRows + (<usize>(y1 * windowSize + x1) << 2), windowSize - x1, left);
        }
      }
      panel = panelEnd;
    }
    table += tableStride;
  }
}

/** Lane sums of squares of the vectors every `stride` bytes below `from + bytes`. */
// @ts-ignore: decorator
@inline
function sumOfSquares(from: usize, bytes: usize, stride: usize): v128 {
  let squares = f32x4.splat(0);
  for (const end = from + bytes; from < end; from += stride) {
    const v = v128.load(from);
    squares = madd(v, v, squares);
  }
  return squares;
}

/** A head's values of four pixels, scaled: value e of the four, a pixel a lane, goes to row e of `to`. */
// @ts-ignore: decorator
@inline
function storeTransposed(
  p0: usize, p1: usize, p2: usize, p3: usize, headSize: i32, scale: v128, to: usize, toStride: usize,
): void {
  for (let e = 0; e < headSize; e += 4) {
    const at = <usize>e << 2;
    const v0 = f32x4.mul(v128.load(p0 + at), scale), v1 = f32x4.mul(v128.load(p1 + at), scale);
    const v2 = f32x4.mul(v128.load(p2 + at), scale), v3 = f32x4.mul(v128.load(p3 + at), scale);
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

/** Stores up to four channels (vectors c0…c3, a query a lane) of up to four queries, `offset` bytes into their rows. */
// @ts-ignore: decorator
@inline
function storeQueries(
  c0: v128, c1: v128, c2: v128, c3: v128, offset: usize, rows: usize, queries: i32, channels: i32,
): void {
  const ab0 = v128.shuffle<f32>(c0, c1, 0, 4, 1, 5);
  const ab1 = v128.shuffle<f32>(c0, c1, 2, 6, 3, 7);
  const cd0 = v128.shuffle<f32>(c2, c3, 0, 4, 1, 5);
  const cd1 = v128.shuffle<f32>(c2, c3, 2, 6, 3, 7);
  const q0 = v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5);
  const q1 = v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7);
  const q2 = v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5);
  const q3 = v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7);
  if (queries >= 4 && channels >= 4) {
    v128.store(load<usize>(rows) + offset, q0);
    v128.store(load<usize>(rows, 4) + offset, q1);
    v128.store(load<usize>(rows, 8) + offset, q2);
    v128.store(load<usize>(rows, 12) + offset, q3);
  } else {
    storeQuery(q0, load<usize>(rows) + offset, channels);
    if (queries > 1) storeQuery(q1, load<usize>(rows, 4) + offset, channels);
    if (queries > 2) storeQuery(q2, load<usize>(rows, 8) + offset, channels);
    if (queries > 3) storeQuery(q3, load<usize>(rows, 12) + offset, channels);
  }
}

/** Stores up to four channels: a whole vector would run into the next head or the next pixel. */
function storeQuery(row: v128, to: usize, channels: i32): void {
  if (channels >= 4) {
    v128.store(to, row);
    return;
  }
  store<f32>(to, f32x4.extract_lane(row, 0));
  if (channels > 1) store<f32>(to, f32x4.extract_lane(row, 1), 4);
  if (channels > 2) store<f32>(to, f32x4.extract_lane(row, 2), 8);
}

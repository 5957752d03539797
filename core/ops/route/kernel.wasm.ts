import { exp2, log, madd, splatAt } from '../simd.wasm';

/** class = argmax(logits), lowest index on a tie. Stride in bytes. */
export function routeArgmax(logits: usize, stride: usize, pixels: i32, tokens: i32, classOf: usize): void {
  for (let pixel = 0; pixel < pixels; pixel++) {
    let best: f32 = load<f32>(logits);
    let bestToken = 0;
    for (let token = 1; token < tokens; token++) {
      const value = load<f32>(logits + (<usize>token << 2));
      if (value > best) {
        best = value;
        bestToken = token;
      }
    }
    store<i32>(classOf, bestToken);
    classOf += 4;
    logits += stride;
  }
}

/** class = argmax(logits + noise); noise is [pixels, tokens] without gaps. */
export function routeReplay(
  logits: usize, stride: usize, noise: usize, pixels: i32, tokens: i32, classOf: usize,
): void {
  for (let pixel = 0; pixel < pixels; pixel++) {
    let best: f32 = load<f32>(logits) + load<f32>(noise);
    let bestToken = 0;
    for (let token = 1; token < tokens; token++) {
      const at = <usize>token << 2;
      const value: f32 = load<f32>(logits + at) + load<f32>(noise + at);
      if (value > best) {
        best = value;
        bestToken = token;
      }
    }
    store<i32>(classOf, bestToken);
    classOf += 4;
    logits += stride;
    noise += <usize>tokens << 2;
  }
}

/** E = −log(1 − w) for w = (h >> 9 + ½)·2⁻²³: a series below 1/16, where the logarithm would cancel. */
// @ts-ignore: decorator
@inline
function exponential(w: v128): v128 {
  let p = madd(w, f32x4.splat(1.0 / 6), f32x4.splat(1.0 / 5));
  p = madd(p, w, f32x4.splat(1.0 / 4));
  p = madd(p, w, f32x4.splat(1.0 / 3));
  p = madd(p, w, f32x4.splat(0.5));
  p = madd(p, w, f32x4.splat(1));
  const direct = f32x4.neg(log(f32x4.sub(f32x4.splat(1), w)));
  return v128.bitselect(f32x4.mul(p, w), direct, f32x4.lt(w, f32x4.splat(1.0 / 16)));
}

/**
 * class = argmax(logits + g) with g = −log E the seeded Gumbel noise of pixel, token and `key` (= seed·golden + block).
 *
 * Since g = −log E, the argmax is the argmin of E·e^(highest − logit), with the highest logit: no second logarithm, and
 * no overflow however large logits are. The factors are at least w and 1, so a token cannot win if its w is above the
 * best so far: a bound on the hash itself. E ≤ w/(1 − w) turns the smallest hash of all into a first bound, so that
 * nearly all tokens cost no more than their hash.
 * One pcg4d hash (Jarzynski and Olano, 2020) gives four tokens, a vector of hashes sixteen.
 *
 * Pixels first … first + pixels − 1 of a map `width` wide, whose corner is at (originX, originY) of the image.
 * Reads logits up to the next multiple of 16; those beyond `tokens` never win. Scratch: that many integers.
 */
export function routeSeeded(
  logits: usize, stride: usize, pixels: i32, tokens: i32, classOf: usize,
  first: i32, width: i32, originX: i32, originY: i32, key: i32, scratch: usize,
): void {
  const multiplier = 1664525;
  const increment = 1013904223;
  const multipliers = i32x4.splat(multiplier);
  const increments = i32x4.splat(increment);
  const w3 = key * multiplier + increment;
  const d = i32x4.splat(w3);
  const hashSteps = f32x4.splat(8388608.0 * 1.000001);
  const hashStep = f32x4.splat(1.0 / 8388608.0);
  const half = f32x4.splat(0.5);
  const log2e = splatAt(7);
  const mostExponent = f32x4.splat(126);
  const infinity = f32x4.splat(Infinity);
  const tokenCount = i32x4.splat(tokens);
  const sixteen = i32x4.splat(16);

  for (let i = 0; i < pixels; i++) {
    const pixel = first + i;
    const x1 = (originX + pixel % width) * multiplier + increment;
    const y1 = (originY + pixel / width) * multiplier + increment;
    const a = i32x4.splat(x1 + y1 * w3);
    const b = i32x4.splat(y1);
    let q = i32x4(0, 1, 2, 3);
    let smallest = i32x4.splat(0x7fffffff);
    let to = scratch;
    for (let t = 0; t < tokens; t += 16) {
      let v2 = i32x4.add(i32x4.mul(q, multipliers), increments);
      let v1 = i32x4.add(b, i32x4.mul(v2, a));
      v2 = i32x4.add(v2, i32x4.mul(a, v1));
      let v3 = i32x4.add(d, i32x4.mul(v1, v2));
      let v0 = v128.xor(a, i32x4.shr_u(a, 16));
      v1 = v128.xor(v1, i32x4.shr_u(v1, 16));
      v2 = v128.xor(v2, i32x4.shr_u(v2, 16));
      v3 = v128.xor(v3, i32x4.shr_u(v3, 16));
      v0 = i32x4.add(v0, i32x4.mul(v1, v3));
      v1 = i32x4.add(v1, i32x4.mul(v2, v0));
      v2 = i32x4.add(v2, i32x4.mul(v0, v1));
      v3 = i32x4.add(v3, i32x4.mul(v1, v2));
      // Lane l of v_j is token t + 4l + j.
      v0 = i32x4.shr_u(v0, 9);
      v1 = i32x4.shr_u(v1, 9);
      v2 = i32x4.shr_u(v2, 9);
      v3 = i32x4.shr_u(v3, 9);
      v128.store(to, v0);
      v128.store(to, v1, 16);
      v128.store(to, v2, 32);
      v128.store(to, v3, 48);
      // Tokens that do not exist must not lower the bound.
      if (t + 16 <= tokens) smallest = i32x4.min_s(smallest, i32x4.min_s(i32x4.min_s(v0, v1), i32x4.min_s(v2, v3)));
      q = i32x4.add(q, i32x4.splat(4));
      to += 64;
    }

    let highest = v128.load32_splat(logits);
    let lowest = highest;
    let at = logits;
    for (const whole = logits + (<usize>(tokens & ~3) << 2); at < whole; at += 16) {
      highest = f32x4.pmax(highest, v128.load(at));
      lowest = f32x4.pmin(lowest, v128.load(at));
    }
    for (const end = logits + (<usize>tokens << 2); at < end; at += 4) {
      highest = f32x4.pmax(highest, v128.load32_splat(at));
      lowest = f32x4.pmin(lowest, v128.load32_splat(at));
    }
    highest = allLanes(highest, true);
    lowest = allLanes(lowest, false);

    // h >> 9 above `bound` cannot win; it falls as the best falls.
    let bound = i32x4.splat(0x7fffffff);
    if (tokens >= 16) {
      smallest = i32x4.min_s(smallest, v128.shuffle<i32>(smallest, smallest, 2, 3, 0, 1));
      smallest = i32x4.min_s(smallest, v128.shuffle<i32>(smallest, smallest, 1, 0, 3, 2));
      const w = f32x4.mul(f32x4.add(f32x4.convert_i32x4_s(smallest), half), hashStep);
      const spread = exp2(f32x4.pmin(mostExponent, f32x4.mul(f32x4.sub(highest, lowest), log2e)));
      const limit = f32x4.mul(f32x4.div(w, f32x4.sub(f32x4.splat(1), w)), spread);
      bound = i32x4.trunc_sat_f32x4_s(madd(limit, hashSteps, f32x4.splat(2)));
    }
    let best = infinity;
    let bestToken = i32x4.splat(0);
    let limit = infinity;
    let token = i32x4(0, 4, 8, 12);
    let from = scratch;
    for (let t = 0; t < tokens; t += 16) {
      const v0 = v128.load(from), v1 = v128.load(from, 16), v2 = v128.load(from, 32), v3 = v128.load(from, 48);
      const least = i32x4.min_s(i32x4.min_s(v0, v1), i32x4.min_s(v2, v3));
      if (v128.any_true(i32x4.le_s(least, bound))) {
        // The logits in the same order, by a transposition.
        const row = logits + (<usize>t << 2);
        const l0 = v128.load(row), l1 = v128.load(row, 16), l2 = v128.load(row, 32), l3 = v128.load(row, 48);
        const t0 = v128.shuffle<f32>(l0, l1, 0, 4, 1, 5);
        const t1 = v128.shuffle<f32>(l2, l3, 0, 4, 1, 5);
        const t2 = v128.shuffle<f32>(l0, l1, 2, 6, 3, 7);
        const t3 = v128.shuffle<f32>(l2, l3, 2, 6, 3, 7);
        for (let j = 0; j < 4; j++) {
          const h = j === 0 ? v0 : j === 1 ? v1 : j === 2 ? v2 : v3;
          if (!v128.any_true(i32x4.le_s(h, bound))) continue;
          const logit =
            j === 0 ? v128.shuffle<f32>(t0, t1, 0, 1, 4, 5)
            : j === 1 ? v128.shuffle<f32>(t0, t1, 2, 3, 6, 7)
            : j === 2 ? v128.shuffle<f32>(t2, t3, 0, 1, 4, 5)
            : v128.shuffle<f32>(t2, t3, 2, 3, 6, 7);
          const w = f32x4.mul(f32x4.add(f32x4.convert_i32x4_s(h), half), hashStep);
          const odds = exp2(f32x4.pmin(mostExponent, f32x4.mul(f32x4.sub(highest, logit), log2e)));
          if (v128.any_true(f32x4.le(f32x4.mul(w, odds), limit))) {
            const id = i32x4.add(token, i32x4.splat(j));
            const score = v128.bitselect(f32x4.mul(exponential(w), odds), infinity, i32x4.lt_s(id, tokenCount));
            const better = f32x4.lt(score, best);
            best = v128.bitselect(score, best, better);
            bestToken = v128.bitselect(id, bestToken, better);
            const pair = f32x4.pmin(best, v128.shuffle<f32>(best, best, 2, 3, 0, 1));
            limit = f32x4.pmin(pair, v128.shuffle<f32>(pair, pair, 1, 0, 3, 2));
            // A little more than exact: rounding must not lose a winner.
            bound = i32x4.trunc_sat_f32x4_s(madd(limit, hashSteps, f32x4.splat(2)));
          }
        }
      }
      token = i32x4.add(token, sixteen);
      from += 64;
    }
    // The lowest index among the lanes that hold the minimum.
    const candidate = v128.bitselect(bestToken, i32x4.splat(0x7fffffff), f32x4.eq(best, limit));
    const chosen = min(
      min(i32x4.extract_lane(candidate, 0), i32x4.extract_lane(candidate, 1)),
      min(i32x4.extract_lane(candidate, 2), i32x4.extract_lane(candidate, 3)),
    );
    // Logits that are not numbers leave no candidate; the output is then not finite either, and refused later.
    store<i32>(classOf, chosen < tokens ? chosen : 0);
    classOf += 4;
    logits += stride;
  }
}

/** The largest (or smallest) lane in all lanes. */
// @ts-ignore: decorator
@inline
function allLanes(v: v128, largest: bool): v128 {
  const swapped = v128.shuffle<f32>(v, v, 2, 3, 0, 1);
  const pair = largest ? f32x4.pmax(v, swapped) : f32x4.pmin(v, swapped);
  const crossed = v128.shuffle<f32>(pair, pair, 1, 0, 3, 2);
  return largest ? f32x4.pmax(pair, crossed) : f32x4.pmin(pair, crossed);
}

/** Classes as given. */
export function copyIndices(from: usize, to: usize, count: i32): void {
  memory.copy(to, from, <usize>count << 2);
}

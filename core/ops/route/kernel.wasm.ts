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
 * Since g = −log E, the argmax is the argmin of E·e^(−logit): no second logarithm. And E ≥ w, so a token cannot win
 * if w·e^(−largest logit) is above the best so far: a bound on the hash itself, so that nearly all tokens cost no
 * more than their hash. One pcg4d hash (Jarzynski and Olano, 2020) gives four tokens, a vector of hashes sixteen.
 *
 * Pixels first … first + pixels − 1 of a map `width` wide, whose corner is at (originX, originY) of the image.
 * Reads logits up to the next multiple of 16; those beyond `tokens` never win.
 */
export function routeSeeded(
  logits: usize, stride: usize, pixels: i32, tokens: i32, classOf: usize,
  first: i32, width: i32, originX: i32, originY: i32, key: i32,
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
  const minusLog2e = f32x4.neg(splatAt(7));
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
    const scale = exp2(f32x4.pmin(mostExponent, f32x4.mul(largest(logits, tokens), splatAt(7))));
    let best = infinity;
    let bestToken = i32x4.splat(0);
    let limit = infinity;
    // h >> 9 above this cannot win; it falls as the best falls.
    let bound = i32x4.splat(0x7fffffff);
    let token = i32x4(0, 4, 8, 12);
    for (let t = 0; t < tokens; t += 16) {
      const q = i32x4.shr_u(token, 2);
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
      v0 = i32x4.shr_u(v0, 9);
      v1 = i32x4.shr_u(v1, 9);
      v2 = i32x4.shr_u(v2, 9);
      v3 = i32x4.shr_u(v3, 9);
      const least = i32x4.min_s(i32x4.min_s(v0, v1), i32x4.min_s(v2, v3));
      if (v128.any_true(i32x4.le_s(least, bound))) {
        // Lane l of v_j is token t + 4l + j: transpose the logits to match.
        const at = logits + (<usize>t << 2);
        const l0 = v128.load(at), l1 = v128.load(at, 16), l2 = v128.load(at, 32), l3 = v128.load(at, 48);
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
          const odds = exp2(f32x4.pmin(mostExponent, f32x4.mul(logit, minusLog2e)));
          if (v128.any_true(f32x4.le(f32x4.mul(w, odds), limit))) {
            const id = i32x4.add(token, i32x4.splat(j));
            const score = v128.bitselect(f32x4.mul(exponential(w), odds), infinity, i32x4.lt_s(id, tokenCount));
            const better = f32x4.lt(score, best);
            best = v128.bitselect(score, best, better);
            bestToken = v128.bitselect(id, bestToken, better);
            const pair = f32x4.pmin(best, v128.shuffle<f32>(best, best, 2, 3, 0, 1));
            limit = f32x4.pmin(pair, v128.shuffle<f32>(pair, pair, 1, 0, 3, 2));
            // A little more than exact: rounding must not lose a winner.
            bound = i32x4.trunc_sat_f32x4_s(madd(f32x4.mul(limit, scale), hashSteps, f32x4.splat(2)));
          }
        }
      }
      token = i32x4.add(token, sixteen);
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

/** The largest of `count` values, in all lanes. */
// @ts-ignore: decorator
@inline
function largest(values: usize, count: i32): v128 {
  const whole = values + (<usize>(count & ~3) << 2);
  const end = values + (<usize>count << 2);
  let most = v128.load32_splat(values);
  for (; values < whole; values += 16) most = f32x4.pmax(most, v128.load(values));
  for (; values < end; values += 4) most = f32x4.pmax(most, v128.load32_splat(values));
  const pair = f32x4.pmax(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  return f32x4.pmax(pair, v128.shuffle<f32>(pair, pair, 1, 0, 3, 2));
}

/** Classes as given. */
export function copyIndices(from: usize, to: usize, count: i32): void {
  memory.copy(to, from, <usize>count << 2);
}

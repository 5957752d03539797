// Numbers of maps and weights as they lie in memory: float32, or halves (binary16), two to a word, the first in the lower
// half. Arithmetic is always float32. Halves need no feature of the device: they are packed by core WGSL. A map of halves is
// written two channels at a time at least, since two share a word; its stride is even, and so is its first channel.
// Rounding to a half is to nearest or, where the device does so, to either neighbour. Beyond what a half can hold WGSL
// promises nothing, and NaN may be lost: both are told by their bits here, and written as NaN.

/// Where number `at` lies, and the number in that word. `isHalf` is 0 or 1.
fn wordOf(at: u32, isHalf: u32) -> u32 {
  return at >> isHalf;
}

fn numberOf(word: u32, at: u32, isHalf: u32) -> f32 {
  if isHalf == 1u {
    return unpack2x16float(word)[at & 1u];
  }
  return bitcast<f32>(word);
}

/// Four halves, the first in the lower half of x.
fn fourOf(words: vec2u) -> vec4f {
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}

/// 65504, the largest half, as float32 bits; all that is larger, infinite or NaN has larger ones.
const LARGEST_HALF = 0x477fe000u;

fn halvesOf(pair: vec2f) -> u32 {
  let isBeyond = (bitcast<vec2u>(pair) & vec2u(0x7fffffffu)) > vec2u(LARGEST_HALF);
  return select(pack2x16float(pair), 0x7e007e00u, any(isBeyond));
}

fn fourHalvesOf(four: vec4f) -> vec2u {
  return vec2u(halvesOf(four.xy), halvesOf(four.zw));
}

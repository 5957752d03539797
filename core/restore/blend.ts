/**
 * Weights of the incoming tile over a fade of `length` pixels, rising as a raised cosine from near 0 to near 1. The
 * outgoing tile has the rest: weight i and weight length − 1 − i sum to 1.
 */
export function fadeWeights(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((Math.PI * (i + 0.5)) / length));
}

/**
 * Blends `incoming` into `target` over `weights.length` pixels, from the given offsets on. Where both agree the value
 * comes out unchanged, to the bit: the step between them is what is weighted.
 */
export function blendRow(
  target: Float32Array,
  targetOffset: number,
  incoming: { readonly data: Float32Array; readonly offset: number },
  weights: Float32Array,
): void {
  const { data, offset } = incoming;
  for (let i = 0; i < weights.length; i += 1) {
    const before = target[targetOffset + i]!;
    target[targetOffset + i] = before + weights[i]! * (data[offset + i]! - before);
  }
}

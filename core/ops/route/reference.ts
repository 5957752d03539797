import type { FeatureMap, IndexMap } from '../feature-map.js';

/**
 * The class of every pixel: argmax over tokens of logits + noise; the lowest index wins a tie. With Gumbel noise this
 * draws from softmax(logits) (Jang et al., 2017, Eq. 1). `noise` is `[height · width, tokens]`; without it, plain argmax.
 */
export function routeReference(logits: FeatureMap, noise?: Float64Array | Float32Array): IndexMap {
  const { height, width, channels: tokens } = logits;
  const classes = new Int32Array(height * width);
  for (let pixel = 0; pixel < height * width; pixel += 1) {
    let best = Number.NEGATIVE_INFINITY;
    for (let token = 0; token < tokens; token += 1) {
      const score = (logits.data[pixel * tokens + token] as number) + (noise?.[pixel * tokens + token] ?? 0);
      if (score > best) {
        best = score;
        classes[pixel] = token;
      }
    }
  }
  return { height, width, data: classes };
}

/**
 * Seeded routing noise: MambaIRv2 draws a class per pixel at random, also at inference. Here the draw is a pure
 * function of (seed, block, pixel, token), so that a tile, a frame, a rerun and another device draw the same.
 * All integers are uint32 with wrap-around.
 */

// Looked up once: in a vm context, such as a test runner's, a global costs more than the arithmetic around it.
const { imul, log, log1p } = Math;

/** Where noise is wanted: a rectangle of pixels, absolute in the whole (low-resolution) image. */
export interface NoiseRegion {
  /** uint32. */
  readonly seed: number;
  /** Running number of the routing block over the whole network, from 0. */
  readonly block: number;
  readonly originX: number;
  readonly originY: number;
  readonly width: number;
  readonly height: number;
  readonly tokens: number;
}

/**
 * The four hash values of one pixel and four neighbouring tokens: component `token & 3` of the result for
 * `tokenGroup = token >> 2`. The mix is pcg4d of Jarzynski and Olano, "Hash Functions for GPU Rendering", 2020.
 */
export function noiseHash4(
  seed: number,
  block: number,
  position: { readonly x: number; readonly y: number; readonly tokenGroup: number },
): readonly [number, number, number, number] {
  const step = (value: number) => (imul(value, 1664525) + 1013904223) | 0;
  let v0 = step(position.x);
  let v1 = step(position.y);
  let v2 = step(position.tokenGroup);
  let v3 = step(imul(seed, 0x9e3779b9) + block);
  const mix = () => {
    v0 = (v0 + imul(v1, v3)) | 0;
    v1 = (v1 + imul(v2, v0)) | 0;
    v2 = (v2 + imul(v0, v1)) | 0;
    v3 = (v3 + imul(v1, v2)) | 0;
  };
  mix();
  v0 ^= v0 >>> 16;
  v1 ^= v1 >>> 16;
  v2 ^= v2 >>> 16;
  v3 ^= v3 >>> 16;
  mix();
  return [v0 >>> 0, v1 >>> 0, v2 >>> 0, v3 >>> 0];
}

/**
 * A Gumbel(0, 1) sample, −2.812 … 16.636, from 32 hash bits: the upper 23 choose the middle w of one of 2²³ equal parts
 * of (0, 1), E = −log(1 − w) is exponential, and −log(E) is Gumbel.
 */
export function gumbelFromHash(hash: number): number {
  const w = ((hash >>> 9) + 0.5) * 2 ** -23;
  return -log(-log1p(-w));
}

/** Gumbel noise `[height · width, tokens]`, pixels in raster order, to be added to the router's logits. */
export function seededNoise(region: NoiseRegion): Float64Array {
  const { seed, block, originX, originY, width, height, tokens } = region;
  const noise = new Float64Array(height * width * tokens);
  let next = 0;
  for (let y = originY; y < originY + height; y += 1) {
    for (let x = originX; x < originX + width; x += 1) {
      for (let token = 0; token < tokens; token += 4) {
        const hashes = noiseHash4(seed, block, { x, y, tokenGroup: token >> 2 });
        for (const hash of hashes.slice(0, tokens - token)) {
          noise[next] = gumbelFromHash(hash);
          next += 1;
        }
      }
    }
  }
  return noise;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** How much of a tile is visible. */
export type Opacity = 'opaque' | 'transparent' | 'mixed';

/** Whether all of an alpha plane is 1, all 0, or neither. */
export function opacityOf(alpha: Float32Array): Opacity {
  const [first] = alpha;
  if ((first !== 0 && first !== 1) || alpha.some((value) => value !== first)) {
    return 'mixed';
  }
  return first === 1 ? 'opaque' : 'transparent';
}

/** The lowest and highest value among each pixel and its eight neighbours. */
function extremes(plane: Float32Array, { width, height }: Size): { lowest: Float32Array; highest: Float32Array } {
  const lowest = plane.slice();
  const highest = plane.slice();
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const i = y * width + x;
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row += 1) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column += 1) {
          const value = plane[row * width + column]!;
          lowest[i] = Math.min(lowest[i]!, value);
          highest[i] = Math.max(highest[i]!, value);
        }
      }
    }
  }
  return { lowest, highest };
}

/**
 * Holds an upscaled alpha plane within what the source shows around each pixel (3 × 3), in place: a network overshoots
 * at edges, and an opaque area must not become a little transparent, nor an empty one a little visible.
 * `source` is `[height, width]`, `upscaled` `[height · scale, width · scale]`.
 */
export function limitAlpha(
  upscaled: Float32Array,
  source: Float32Array,
  options: Size & { readonly scale: number },
): void {
  const { width, height, scale } = options;
  const { lowest, highest } = extremes(source, options);
  for (let y = 0; y < height * scale; y += 1) {
    const row = Math.floor(y / scale) * width;
    for (let x = 0; x < width * scale; x += 1) {
      const from = row + Math.floor(x / scale);
      const to = y * width * scale + x;
      upscaled[to] = Math.min(highest[from]!, Math.max(lowest[from]!, upscaled[to]!));
    }
  }
}

/** A plane `[height, width]` with every pixel repeated `scale` × `scale` times. */
export function repeatPixels(plane: Float32Array, options: Size & { readonly scale: number }): Float32Array {
  const { width, height, scale } = options;
  const repeated = new Float32Array(width * height * scale ** 2);
  let at = 0;
  for (let y = 0; y < height * scale; y += 1) {
    const row = Math.floor(y / scale) * width;
    for (let x = 0; x < width * scale; x += 1) {
      repeated[at] = plane[row + Math.floor(x / scale)]!;
      at += 1;
    }
  }
  return repeated;
}

/** Puts the source's colours back where alpha is 0 (same size), so that nothing unseen is lost; in place. */
export function keepHiddenColours(
  restored: readonly Float32Array[],
  source: readonly Float32Array[],
  alpha: Float32Array,
): void {
  for (const [c, plane] of restored.entries()) {
    for (let i = 0; i < alpha.length; i += 1) {
      if (alpha[i] === 0) {
        plane[i] = source[c]![i]!;
      }
    }
  }
}

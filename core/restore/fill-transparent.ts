/** One level of the pyramid: planes `[height, width]`, and which of their pixels are known. */
interface Level {
  readonly width: number;
  readonly height: number;
  readonly planes: readonly Float32Array[];
  readonly known: Uint8Array;
}

/** The level of half the size: each pixel is the mean of the known ones among the (up to) four below it. */
function pull({ width, height, planes, known }: Level): Level {
  const coarseWidth = Math.ceil(width / 2);
  const coarseHeight = Math.ceil(height / 2);
  const coarse = planes.map(() => new Float32Array(coarseWidth * coarseHeight));
  const counts = new Uint8Array(coarseWidth * coarseHeight);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (known[y * width + x] === 1) {
        const to = (y >> 1) * coarseWidth + (x >> 1);
        counts[to]! += 1;
        for (const [c, plane] of planes.entries()) {
          coarse[c]![to]! += plane[y * width + x]!;
        }
      }
    }
  }
  for (const plane of coarse) {
    for (let i = 0; i < plane.length; i += 1) {
      plane[i]! /= Math.max(1, counts[i]!);
    }
  }
  return { width: coarseWidth, height: coarseHeight, planes: coarse, known: counts.map((count) => Math.min(1, count)) };
}

/** Fills the unknown pixels of a level bilinearly from the level of half the size, all of which is known by now. */
function push(fine: Level, coarse: Level): void {
  for (let y = 0; y < fine.height; y += 1) {
    const nearRow = (y >> 1) * coarse.width;
    const farRow = Math.min(coarse.height - 1, Math.max(0, (y >> 1) + (y % 2 === 0 ? -1 : 1))) * coarse.width;
    for (let x = 0; x < fine.width; x += 1) {
      if (fine.known[y * fine.width + x] === 1) {
        continue;
      }
      const near = x >> 1;
      const far = Math.min(coarse.width - 1, Math.max(0, near + (x % 2 === 0 ? -1 : 1)));
      for (const [c, plane] of coarse.planes.entries()) {
        const nearMean = 0.75 * plane[nearRow + near]! + 0.25 * plane[nearRow + far]!;
        const farMean = 0.75 * plane[farRow + near]! + 0.25 * plane[farRow + far]!;
        fine.planes[c]![y * fine.width + x] = 0.75 * nearMean + 0.25 * farMean;
      }
    }
  }
}

/**
 * Gives every fully transparent pixel a colour continued from the visible ones around it (pull-push: averages over ever
 * larger squares). A network then sees no edge between a picture and what lies unseen under its alpha, and bleeds none
 * in. Visible pixels stay as they are; nothing changes if no pixel is visible. `planes` and `alpha` are
 * `[height, width]`; the result is new.
 */
export function fillTransparent(
  planes: readonly Float32Array[],
  alpha: Float32Array,
  size: { readonly width: number; readonly height: number },
): readonly Float32Array[] {
  const known = Uint8Array.from(alpha, (value) => (value > 0 ? 1 : 0));
  const filled = planes.map((plane) => plane.slice());
  if (!known.includes(1)) {
    return filled;
  }
  const levels: Level[] = [{ ...size, planes: filled, known }];
  for (let level = levels[0]!; level.known.includes(0); ) {
    level = pull(level);
    levels.push(level);
  }
  for (let i = levels.length - 2; i >= 0; i -= 1) {
    push(levels[i]!, levels[i + 1]!);
  }
  return filled;
}

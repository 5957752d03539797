/** How a map is cut into attention windows, and these into parts: some windows next to one another. */
export interface WindowCut {
  readonly windowSize: number;
  /** Rows and columns by which the windows are shifted to the right and down; the map wraps around. */
  readonly shift: number;
  /** Windows of a part; the last one of a row of windows may have fewer. */
  readonly perPart: number;
}

/** Pixels that are neighbours in a row of the map and in a part. */
export interface PixelRun {
  /** The first pixel's place in the map. */
  readonly first: number;
  readonly count: number;
  /** Its place in the part. */
  readonly at: number;
}

/** Some windows next to one another. Inside, pixels are in raster order of the part: `windows` · windowSize in a row. */
export interface WindowPart {
  /** Number of the first window, in raster order of the windows. */
  readonly window: number;
  readonly windows: number;
  readonly pixels: number;
  readonly runs: readonly PixelRun[];
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Parts of at most `limit` pixels, but at least a window, of a map whose sides are multiples of the window size. */
export function windowShape(
  { height, width }: Size,
  { windowSize, shift }: { readonly windowSize: number; readonly shift: number },
  limit: number,
): { readonly stripPixels: number; readonly strips: number; readonly windows: WindowCut } {
  const perRow = width / windowSize;
  const perPart = Math.min(Math.max(Math.floor(limit / windowSize ** 2), 1), perRow);
  return {
    stripPixels: perPart * windowSize ** 2,
    strips: (height / windowSize) * Math.ceil(perRow / perPart),
    windows: { windowSize, shift, perPart },
  };
}

/** Part `index` of a map. */
export function windowPartAt(
  { height, width }: Size,
  { windowSize, shift, perPart }: WindowCut,
  index: number,
): WindowPart {
  const perRow = width / windowSize;
  const partsPerRow = Math.ceil(perRow / perPart);
  const row = Math.floor(index / partsPerRow);
  const column = (index % partsPerRow) * perPart;
  const windows = Math.min(perPart, perRow - column);
  const columns = windows * windowSize;
  const x = (column * windowSize + shift) % width;
  const beforeEdge = Math.min(columns, width - x);
  const runs: PixelRun[] = [];
  for (let y = 0; y < windowSize; y++) {
    const start = ((row * windowSize + y + shift) % height) * width;
    runs.push({ first: start + x, count: beforeEdge, at: y * columns });
    if (beforeEdge < columns) {
      runs.push({ first: start, count: columns - beforeEdge, at: y * columns + beforeEdge });
    }
  }
  return { window: row * perRow + column, windows, pixels: windowSize * columns, runs };
}

/**
 * Pixels in memory, interleaved, top row first, straight (not premultiplied) alpha.
 * Full range: 0…255, 0…65535, or [0, 1] for float.
 */
export interface PixelImage {
  readonly width: number;
  readonly height: number;
  /** 1 gray, 2 gray + alpha, 3 RGB, 4 RGB + alpha. */
  readonly channels: 1 | 2 | 3 | 4;
  /** Length = width · height · channels; the array type is the depth: 8, 16 bit, or float. */
  readonly data: Uint8Array | Uint16Array | Float32Array;
}

/** Takes finished rows from top to bottom, each once; `rows.data` may be reused after the promise resolves. */
export interface RowSink {
  /** Takes the next rows: `width` and `channels` are the same in every call. */
  write(rows: PixelImage): Promise<void>;
}

import { open } from 'node:fs/promises';
import { estimateJpegCompression } from '../image/jpeg-quality.js';
import { chooseModel, type ListedModel, type ModelWish } from '../models/catalogue.js';

/** Quantisation tables stand before the picture data; metadata before them rarely fills more than this. */
const headBytes = 512 * 1024;

/**
 * {@link chooseModel} for a picture file: for JPEG repair the quality is estimated from the file's quantisation tables,
 * and the nearest model taken. A file that cannot be read counts as one of unknown quality: opening it says why.
 * @throws MAMBAIR_MODEL_NOT_PULLED, MAMBAIR_MODEL_UNKNOWN
 */
export async function chooseModelForFile(path: string, wish: ModelWish): Promise<ListedModel> {
  if (wish.task !== 'jpeg' || wish.quality !== undefined) {
    return chooseModel(wish);
  }
  const quality = estimateJpegCompression(await readHead(path))?.quality;
  return chooseModel({ ...wish, ...(quality === undefined ? {} : { quality }) });
}

async function readHead(path: string): Promise<Uint8Array> {
  const file = await open(path).catch(() => undefined);
  try {
    const head = await file?.read(new Uint8Array(headBytes), 0, headBytes, 0);
    return head?.buffer.subarray(0, head.bytesRead) ?? new Uint8Array();
  } catch {
    return new Uint8Array();
  } finally {
    await file?.close();
  }
}

import { type FeatureMap, featureMap } from '../feature-map.js';

// Looked up once: in a vm context, such as a test runner's, a global costs more than the arithmetic around it.
const { exp } = Math;

/** What the attention of one block is made of. */
export interface WindowAttentionConstants {
  /** ws: windows are ws × ws pixels and tile the map exactly. */
  readonly windowSize: number;
  readonly heads: number;
  /** The map is rolled by this many pixels up and left before it is cut into windows, and back afterwards. */
  readonly shift: number;
  /** Relative position bias `[(2·ws − 1)², heads]`. */
  readonly biasTable: Float64Array;
}

/** Added to the score of two pixels of one window that are no neighbours in the image: the roll brought them together. */
const maskedScore = -100;

/**
 * Multi-head self-attention inside (shifted) windows, as in Swin Transformer (Liu et al., 2021, section 3.2, Eq. 4):
 * softmax(q·kᵀ / √hd + bias[relative position] + mask) · v per head of hd = C / heads channels.
 * `qkv` holds q, k and v after each other, each `[heads, hd]`; the result has C channels and is not yet projected.
 */
export function windowAttentionReference(qkv: FeatureMap, constants: WindowAttentionConstants): FeatureMap {
  const { windowSize: ws, heads, shift, biasTable } = constants;
  const { height, width } = qkv;
  const channels = qkv.channels / 3;
  const headDim = channels / heads;
  const temperature = Math.sqrt(headDim);
  const out = featureMap(height, width, channels);

  for (let windowY = 0; windowY < height; windowY += ws) {
    for (let windowX = 0; windowX < width; windowX += ws) {
      const pixels = windowPixels(windowY, windowX, { height, width, ws, shift });
      for (let head = 0; head < heads; head += 1) {
        const q = head * headDim;
        const k = channels + q;
        const v = 2 * channels + q;
        for (const query of pixels) {
          const scores = pixels.map((key) => {
            let dot = 0;
            for (let e = 0; e < headDim; e += 1) {
              dot +=
                (qkv.data[query.place * qkv.channels + q + e] as number) *
                (qkv.data[key.place * qkv.channels + k + e] as number);
            }
            const relative = (query.y - key.y + ws - 1) * (2 * ws - 1) + (query.x - key.x + ws - 1);
            const bias = biasTable[relative * heads + head] as number;
            const mask = shift > 0 && query.label !== key.label ? maskedScore : 0;
            return dot / temperature + bias + mask;
          });
          const weights = softmax(scores);
          for (let e = 0; e < headDim; e += 1) {
            let sum = 0;
            pixels.forEach((key, index) => {
              sum += (weights[index] as number) * (qkv.data[key.place * qkv.channels + v + e] as number);
            });
            out.data[query.place * channels + q + e] = sum;
          }
        }
      }
    }
  }
  return out;
}

/** A pixel of a window: where it lies in the image and in the window, and from which side of the roll it comes. */
interface WindowPixel {
  /** y · width + x in the image. */
  readonly place: number;
  readonly y: number;
  readonly x: number;
  readonly label: number;
}

function windowPixels(
  windowY: number,
  windowX: number,
  { height, width, ws, shift }: { height: number; width: number; ws: number; shift: number },
): WindowPixel[] {
  const pixels: WindowPixel[] = [];
  for (let y = 0; y < ws; y += 1) {
    for (let x = 0; x < ws; x += 1) {
      const imageY = (windowY + y + shift) % height;
      const imageX = (windowX + x + shift) % width;
      const label = 3 * rollLabel(windowY + y, height, ws) + rollLabel(windowX + x, width, ws);
      pixels.push({ place: imageY * width + imageX, y, x, label });
    }
  }
  return pixels;
}

/** The official mask's three bands of a rolled axis: before the last window, its first part, its second part. */
function rollLabel(position: number, size: number, ws: number): number {
  if (position < size - ws) {
    return 0;
  }
  return position < size - Math.floor(ws / 2) ? 1 : 2;
}

function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const exponentials = scores.map((score) => exp(score - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}

/** Largest number of axes that a file may give a tensor; no network of the family has more than six. */
export const maxRank = 32;

/**
 * Number of elements of a shape from an untrusted file, or undefined when the sizes are beyond what a number holds
 * exactly. Zero sizes do not excuse the others: `[0, 2^53 - 1, 4]` is undefined too, so that the product of any part of
 * an accepted shape is exact.
 */
export function checkedElementCount(shape: readonly number[]): number | undefined {
  let product = 1;
  let isEmpty = false;
  for (const size of shape) {
    if (size === 0) {
      isEmpty = true;
    } else {
      // Rounding is monotonic, so a product above the limit never rounds to one below it.
      product *= size;
    }
    if (!Number.isSafeInteger(product)) {
      return undefined;
    }
  }
  return isEmpty ? 0 : product;
}

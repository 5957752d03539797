/** A block of memory wanted from `first` to `last` (inclusive, in steps). */
export interface Request {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/**
 * Places blocks so that those alive at the same step never overlap; largest first, each at the lowest free offset.
 * Returns the offset of each request and the total. All sizes are rounded up to `alignment`.
 */
export function allocate(
  requests: readonly Request[],
  alignment: number,
): { readonly offsets: readonly number[]; readonly bytes: number } {
  const offsets = new Array<number>(requests.length).fill(0);
  const placed: { start: number; end: number; request: Request }[] = [];
  const order = requests.map((_, index) => index);
  order.sort((a, b) => (requests[b] as Request).bytes - (requests[a] as Request).bytes || a - b);
  let bytes = 0;
  for (const index of order) {
    const request = requests[index] as Request;
    const size = Math.ceil(request.bytes / alignment) * alignment;
    const rivals = placed
      .filter((other) => other.request.first <= request.last && request.first <= other.request.last)
      .sort((a, b) => a.start - b.start);
    let start = 0;
    for (const rival of rivals) {
      if (start + size <= rival.start) {
        break;
      }
      start = Math.max(start, rival.end);
    }
    offsets[index] = start;
    placed.push({ start, end: start + size, request });
    bytes = Math.max(bytes, start + size);
  }
  return { offsets, bytes };
}

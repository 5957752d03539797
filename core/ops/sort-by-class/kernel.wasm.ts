/** Stable counting sort: order[p] = pixel at place p. `counts` is scratch for `classes` integers. */
export function sortByClass(classOf: usize, pixels: i32, classes: i32, order: usize, counts: usize): void {
  memory.fill(counts, 0, <usize>classes << 2);
  const end = classOf + (<usize>pixels << 2);
  for (let p = classOf; p < end; p += 4) {
    const at = counts + (<usize>load<i32>(p) << 2);
    store<i32>(at, load<i32>(at) + 1);
  }
  let place = 0;
  for (let k = 0; k < classes; k++) {
    const at = counts + (<usize>k << 2);
    const count = load<i32>(at);
    store<i32>(at, place);
    place += count;
  }
  for (let pixel = 0; pixel < pixels; pixel++) {
    const at = counts + (<usize>load<i32>(classOf + (<usize>pixel << 2)) << 2);
    const to = load<i32>(at);
    store<i32>(order + (<usize>to << 2), pixel);
    store<i32>(at, to + 1);
  }
}

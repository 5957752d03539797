/** An item with what became of it. */
export interface Done<Item, Result> {
  readonly item: Item;
  readonly result: Result;
}

/**
 * Starts work on items in their order, some at a time, and gives the results in the same order. When it ends early, no work
 * is left under way.
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  atOnce: number,
  start: (item: Item) => Promise<Result>,
): AsyncGenerator<Done<Item, Result>> {
  const underWay: Done<Item, Promise<Result>>[] = [];
  const source = items[Symbol.iterator]();
  const fill = (): void => {
    while (underWay.length < atOnce) {
      const next = source.next();
      if (next.done === true) {
        return;
      }
      const result = start(next.value);
      // Who takes it sees its failure; until then it is no unhandled one.
      result.catch(() => undefined);
      underWay.push({ item: next.value, result });
    }
  };
  try {
    for (fill(); underWay.length > 0; fill()) {
      const [{ item, result }] = underWay as [Done<Item, Promise<Result>>];
      const done = { item, result: await result };
      underWay.shift();
      yield done;
    }
  } finally {
    await Promise.allSettled(underWay.map(({ result }) => result));
  }
}

/** Lets so many calls run at a time; the others wait their turn. */
export function limited(atOnce: number): <Result>(act: () => Promise<Result>) => Promise<Result> {
  let free = atOnce;
  const waiting: (() => void)[] = [];
  return async (act) => {
    if (free > 0) {
      free -= 1;
    } else {
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    try {
      return await act();
    } finally {
      const next = waiting.shift();
      if (next === undefined) {
        free += 1;
      } else {
        next();
      }
    }
  };
}

import type { CaseRouting, OpCase } from '../op-case.js';

type Size = readonly [height: number, width: number];

function sort(
  classes: number,
  kind: CaseRouting['kind'] & ('argmax' | 'forced'),
  [height, width]: Size,
  why: string,
): OpCase {
  return {
    id: `${classes} classes, ${kind}, ${height} × ${width}`,
    why,
    height,
    width,
    channels: classes,
    routing: { kind },
    build: ({ graph, image, name, nextBlock }) => {
      const route = graph.route(name('class'), image, { block: nextBlock(), tokens: classes });
      return graph.sortByClass(name('order'), route, { classes });
    },
  };
}

export const sortByClassCases: readonly OpCase[] = [
  sort(5, 'forced', [5, 13], 'all classes occur, many times'),
  sort(128, 'forced', [5, 13], 'more classes than pixels: most are empty'),
  sort(1, 'forced', [5, 13], 'one class: raster order'),
  sort(64, 'forced', [1, 1], 'one pixel'),
  sort(64, 'forced', [60, 70], 'the light network'),
  sort(8, 'argmax', [5, 13], 'classes from a router'),
  { ...sort(8, 'argmax', [5, 13], 'all logits tie: class 0 everywhere'), id: 'ties', values: () => 0 },
  {
    ...sort(8, 'argmax', [5, 13], 'classes fall along the picture: the order turns it round'),
    id: 'falling classes',
    values: (_, { channel, pixel }) => (channel === 7 - Math.floor(pixel / 9) ? 1 : 0),
  },
];

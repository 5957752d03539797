import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describeWithShared, sharedPath } from '../../test/shared.js';
import type { AxisPlan } from './tile-plan.js';
import { planAxis, planOfficialAxis, planWholeAxis, sourceIndices } from './tile-plan.js';

interface GoldenAxis {
  readonly length: number;
  readonly spans: readonly {
    readonly start: number;
    readonly end: number;
    readonly keep_start: number;
    readonly keep_end: number;
  }[];
}

describeWithShared('the official tiles', ['golden/tiling/tiling.json'], () => {
  const golden = JSON.parse(readFileSync(sharedPath('golden/tiling/tiling.json')!, 'utf8')) as {
    plan_table: [number, number, number, number, number][];
    cases: { name: string; rows: GoldenAxis; columns: GoldenAxis }[];
  };

  it.each(golden.plan_table)(
    'of %i pixels are %i, padded by %i, of %i with overlap %i',
    (length, count, pad, tile, overlap) => {
      const { spans } = planOfficialAxis(length);
      expect(spans).toHaveLength(count);
      expect(spans.at(-1)!.end).toBe(length + pad);
      expect(spans[0]!.end).toBe(count === 1 ? tile : tile + overlap);
    },
  );

  it.each(golden.cases)('lie as in $name', ({ rows, columns }) => {
    for (const axis of [rows, columns]) {
      const expected = axis.spans.map(({ start, end, keep_start, keep_end }) => [
        start,
        end,
        keep_start,
        Math.min(axis.length, keep_end),
      ]);
      const { spans } = planOfficialAxis(axis.length);
      expect(spans.map(({ start, end, keepStart, keepEnd }) => [start, end, keepStart, keepEnd])).toEqual(expected);
    }
  });
});

/** Whether each pixel is contributed once, or twice inside one fade of two neighbours, by tiles that can read it. */
function coversExactly({ length, spans }: AxisPlan): boolean {
  let covered = 0;
  for (const [i, span] of spans.entries()) {
    const isInside = 0 <= span.start && span.start <= span.keepStart && span.keepEnd <= span.end;
    const joins = span.keepStart + span.fadeIn === covered && span.fadeIn === (spans[i - 1]?.fadeOut ?? 0);
    if (!isInside || !joins || span.keepEnd - span.fadeOut < covered) {
      return false;
    }
    covered = span.keepEnd;
  }
  return covered === length && spans.at(-1)?.fadeOut === 0;
}

describe('planAxis', () => {
  const sizes = fc
    .record({ length: fc.integer({ min: 1, max: 3000 }), tile: fc.integer({ min: 32, max: 600 }) })
    .chain(({ length, tile }) =>
      fc.record({
        length: fc.constant(length),
        tile: fc.constant(tile),
        overlap: fc.integer({ min: 0, max: Math.floor(tile / 2) }),
      }),
    );

  it('covers every pixel exactly once after blending, and never reads outside', () => {
    fc.assert(
      fc.property(sizes, ({ length, tile, overlap }) => {
        const plan = planAxis(length, { tile, overlap });
        return coversExactly(plan) && plan.spans.at(-1)!.end === length;
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it('makes tiles no larger than asked, in whole windows on one grid, of one size but for the last', () => {
    fc.assert(
      fc.property(sizes, ({ length, tile, overlap }) => {
        const { spans } = planAxis(length, { tile, overlap });
        const size = spans[0]!.end;
        return spans.every(({ start, end }, i) => {
          const isLast = i === spans.length - 1;
          const isWhole = isLast ? end - start > size - 16 : end - start === size && end % 16 === 0;
          return start % 16 === 0 && end - start <= tile && isWhole;
        });
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it('lets neighbours share the overlap, rounded to windows, and fades over at least half of it', () => {
    fc.assert(
      fc.property(sizes, ({ length, tile, overlap }) => {
        const { spans } = planAxis(length, { tile, overlap });
        const wanted = 16 * Math.min(Math.ceil(overlap / 16), Math.floor(tile / 32));
        return spans.slice(1).every(({ start, fadeIn }, i) => {
          const shared = spans[i]!.end - start;
          // the last window of the picture may be cut
          return shared >= wanted - 15 * Number(i === spans.length - 2) && fadeIn >= Math.floor(wanted / 2) - 8;
        });
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it('fades over all that is shared where no third tile comes in', () => {
    const { spans } = planAxis(1000, { tile: 256, overlap: 32 });
    for (const [i, span] of spans.slice(1).entries()) {
      expect(span.fadeIn).toBe(spans[i]!.end - span.start);
    }
  });

  it('uses one tile where one suffices', () => {
    expect(planAxis(64, { tile: 64, overlap: 32 })).toEqual(planWholeAxis(64));
    expect(planAxis(1, { tile: 64, overlap: 32 })).toEqual(planWholeAxis(1));
  });

  it('refuses tiles smaller than a window', () => {
    expect(() => planAxis(100, { tile: 15, overlap: 0 })).toThrow(
      expect.objectContaining({ code: 'MAMBAIR_OPTION_INVALID' }),
    );
  });

  it.each([-1, 33, Number.NaN])('refuses an overlap of %d in tiles of 64', (overlap) => {
    expect(() => planAxis(100, { tile: 64, overlap })).toThrow(
      expect.objectContaining({ code: 'MAMBAIR_OPTION_INVALID' }),
    );
  });
});

describe('planOfficialAxis', () => {
  it('covers every pixel exactly once for any length', () => {
    const lengths = Array.from({ length: 2500 }, (_, i) => i + 1);
    expect(lengths.filter((length) => !coversExactly(planOfficialAxis(length)))).toEqual([]);
  });
});

describe('sourceIndices', () => {
  it('mirrors beyond the end without repeating the last pixel', () => {
    const span = { start: 3, end: 8, keepStart: 3, keepEnd: 6, fadeIn: 0, fadeOut: 0 };
    expect(Array.from(sourceIndices(span, 6))).toEqual([3, 4, 5, 4, 3]);
  });
});

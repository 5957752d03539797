import type { OpCase } from '../../core/ops/op-case.js';
import { seededNoise } from '../../core/routing/noise.js';
import { caseImage, type CaseResult } from '../op-harness.js';

/** How far apart two tokens of a pixel score, in float64; ∞ where no arithmetic is between logits and class. */
function marginOf(opCase: OpCase, { node }: CaseResult, pixel: number, tokens: readonly [number, number]): number {
  const { routing, channels, height, width } = opCase;
  if (routing?.kind !== 'seeded' || node.operation.op !== 'route') {
    return Number.POSITIVE_INFINITY;
  }
  const noise = seededNoise({
    seed: routing.seed,
    block: node.operation.block,
    originX: routing.originX + (pixel % width),
    originY: routing.originY + Math.floor(pixel / width),
    width: 1,
    height: 1,
    tokens: channels,
  });
  const logits = caseImage(opCase);
  const [a = 0, b = 0] = tokens.map(
    (token) => (logits[token * height * width + pixel] as number) + (noise[token] as number),
  );
  return Math.abs(a - b);
}

/** The pixels whose classes differ, and how far apart the two tokens score there. */
export function routeDifferences(
  found: CaseResult,
  expected: CaseResult,
  opCase: OpCase,
): readonly { readonly pixel: number; readonly margin: number }[] {
  return [...expected.data].flatMap((token, pixel) => {
    const other = found.data[pixel] ?? -1;
    return other === token ? [] : [{ pixel, margin: marginOf(opCase, expected, pixel, [token, other]) }];
  });
}

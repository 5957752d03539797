import { expect } from '@jest/globals';
import type { OpCase } from '../../core/ops/op-case.js';
import { leastMargin } from '../../core/ops/route/contract.js';
import { seededNoise } from '../../core/routing/noise.js';
import { caseImage, type CaseResult } from '../op-harness.js';
import type { CheckCase } from './op-suite.js';

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

/** Classes equal the reference's, but where the two best tokens of a pixel are closer than rounding. */
export const expectBestToken: CheckCase = (found, expected, { opCase }) => {
  const lost: { pixel: number; margin: number }[] = [];
  expected.data.forEach((token, pixel) => {
    const other = found.data[pixel] ?? -1;
    const margin = other === token ? 0 : marginOf(opCase, expected, pixel, [token, other]);
    if (!(margin < leastMargin)) {
      lost.push({ pixel, margin });
    }
  });
  expect(lost).toEqual([]);
};

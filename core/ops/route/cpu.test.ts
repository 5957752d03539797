import { expect } from '@jest/globals';
import { type CheckCase, describeCases } from '../../../test/conformance/op-suite.js';
import { caseImage, type CaseResult } from '../../../test/op-harness.js';
import { seededNoise } from '../../routing/noise.js';
import type { OpCase } from '../op-case.js';
import { routeCases } from './cases.js';
import { leastMargin, routeContract } from './contract.js';

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

const expectBestToken: CheckCase = (found, expected, { opCase }) => {
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

describeCases([{ contract: routeContract, cases: routeCases }], { check: expectBestToken });

import { expect } from '@jest/globals';
import { leastMargin } from '../../core/ops/route/contract.js';
import type { CheckCase } from './op-suite.js';
import { routeDifferences } from './route-difference.js';

/** Classes equal the reference's, but where the two best tokens of a pixel are closer than rounding. */
export const expectBestToken: CheckCase = (found, expected, { opCase }) => {
  const lost = routeDifferences(found, expected, opCase).filter(({ margin }) => !(margin < leastMargin));
  expect(lost).toEqual([]);
};

import { describeCases } from '../../../test/conformance/op-suite.js';
import { upsampleNearestCases } from './cases.js';
import { upsampleNearestContract } from './contract.js';

describeCases([{ contract: upsampleNearestContract, cases: upsampleNearestCases }]);

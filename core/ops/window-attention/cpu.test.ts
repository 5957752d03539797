import { describeCases } from '../../../test/conformance/op-suite.js';
import { windowAttentionCases } from './cases.js';
import { windowAttentionContract } from './contract.js';

describeCases([{ contract: windowAttentionContract, cases: windowAttentionCases }]);

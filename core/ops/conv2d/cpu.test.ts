import { describeCases } from '../../../test/conformance/op-suite.js';
import { conv2dCases } from './cases.js';
import { conv2dContract } from './contract.js';

describeCases([{ contract: conv2dContract, cases: conv2dCases }]);

import { describeCases } from '../../../test/conformance/op-suite.js';
import { linearCases } from './cases.js';
import { linearContract } from './contract.js';

describeCases([{ contract: linearContract, cases: linearCases }]);

import { describeCases } from '../../../test/conformance/op-suite.js';
import { selectiveScanCases } from './cases.js';
import { selectiveScanContract } from './contract.js';

describeCases([{ contract: selectiveScanContract, cases: selectiveScanCases }]);

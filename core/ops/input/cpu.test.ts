import { describeCases } from '../../../test/conformance/op-suite.js';
import { inputCases } from './cases.js';
import { inputContract } from './contract.js';

describeCases([{ contract: inputContract, cases: inputCases }]);

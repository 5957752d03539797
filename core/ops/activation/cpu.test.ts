import { describeCases } from '../../../test/conformance/op-suite.js';
import { activationCases } from './cases.js';
import { activationContract } from './contract.js';

describeCases([{ contract: activationContract, cases: activationCases }]);

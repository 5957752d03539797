import { describeCases } from '../../../test/conformance/op-suite.js';
import { sortByClassCases } from './cases.js';
import { sortByClassContract } from './contract.js';

describeCases([{ contract: sortByClassContract, cases: sortByClassCases }]);

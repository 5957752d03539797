import { describeCases } from '../../../test/conformance/op-suite.js';
import { layerNormCases } from './cases.js';
import { layerNormContract } from './contract.js';

describeCases([{ contract: layerNormContract, cases: layerNormCases }]);

import { describeCases } from '../../../test/conformance/op-suite.js';
import { pixelShuffleCases } from './cases.js';
import { pixelShuffleContract } from './contract.js';

describeCases([{ contract: pixelShuffleContract, cases: pixelShuffleCases }]);

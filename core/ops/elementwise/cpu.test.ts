import { describeCases } from '../../../test/conformance/op-suite.js';
import { addCases, affineCases, multiplyCases, scaleChannelsCases, sliceChannelsCases } from './cases.js';
import {
  addContract,
  affineContract,
  multiplyContract,
  scaleChannelsContract,
  sliceChannelsContract,
} from './contract.js';

describeCases([
  { contract: addContract, cases: addCases },
  { contract: multiplyContract, cases: multiplyCases },
  { contract: affineContract, cases: affineCases },
  { contract: scaleChannelsContract, cases: scaleChannelsCases },
  { contract: sliceChannelsContract, cases: sliceChannelsCases },
]);

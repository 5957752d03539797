import type { OperationName } from '../graph/graph.js';
import { activationCases } from './activation/cases.js';
import { activationContract } from './activation/contract.js';
import { conv2dCases } from './conv2d/cases.js';
import { conv2dContract } from './conv2d/contract.js';
import { inputCases } from './input/cases.js';
import { inputContract } from './input/contract.js';
import { layerNormCases } from './layer-norm/cases.js';
import { layerNormContract } from './layer-norm/contract.js';
import { linearCases } from './linear/cases.js';
import { linearContract } from './linear/contract.js';
import { addCases, affineCases, multiplyCases, scaleChannelsCases, sliceChannelsCases } from './elementwise/cases.js';
import {
  addContract,
  affineContract,
  multiplyContract,
  scaleChannelsContract,
  sliceChannelsContract,
} from './elementwise/contract.js';
import { windowAttentionCases } from './window-attention/cases.js';
import { windowAttentionContract } from './window-attention/contract.js';
import { routeCases } from './route/cases.js';
import { routeContract } from './route/contract.js';
import { sortByClassCases } from './sort-by-class/cases.js';
import { sortByClassContract } from './sort-by-class/contract.js';
import { selectiveScanCases } from './selective-scan/cases.js';
import { selectiveScanContract } from './selective-scan/contract.js';
import type { OpCase } from './op-case.js';
import type { OpContract } from './op-contract.js';
import { pixelShuffleCases } from './pixel-shuffle/cases.js';
import { pixelShuffleContract } from './pixel-shuffle/contract.js';
import { upsampleNearestCases } from './upsample-nearest/cases.js';
import { upsampleNearestContract } from './upsample-nearest/contract.js';

/** Contract and cases of an op. */
export interface OpProblems {
  readonly contract: OpContract;
  readonly cases: readonly OpCase[];
}

/** Every op's contract and cases: the one list of them. */
export const opProblems: Readonly<Record<OperationName, OpProblems>> = {
  input: { contract: inputContract, cases: inputCases },
  affine: { contract: affineContract, cases: affineCases },
  conv2d: { contract: conv2dContract, cases: conv2dCases },
  linear: { contract: linearContract, cases: linearCases },
  layerNorm: { contract: layerNormContract, cases: layerNormCases },
  activation: { contract: activationContract, cases: activationCases },
  add: { contract: addContract, cases: addCases },
  multiply: { contract: multiplyContract, cases: multiplyCases },
  scaleChannels: { contract: scaleChannelsContract, cases: scaleChannelsCases },
  sliceChannels: { contract: sliceChannelsContract, cases: sliceChannelsCases },
  windowAttention: { contract: windowAttentionContract, cases: windowAttentionCases },
  route: { contract: routeContract, cases: routeCases },
  sortByClass: { contract: sortByClassContract, cases: sortByClassCases },
  selectiveScan: { contract: selectiveScanContract, cases: selectiveScanCases },
  pixelShuffle: { contract: pixelShuffleContract, cases: pixelShuffleCases },
  upsampleNearest: { contract: upsampleNearestContract, cases: upsampleNearestCases },
};

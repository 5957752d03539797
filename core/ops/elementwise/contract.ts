import { type ErrorBound, exact, type OpContract } from '../op-contract.js';

const rounding: ErrorBound = { maxAbs: 1.2e-7, relative: 1e-7, reason: 'one or two float32 roundings' };

const map = '[H, W, C]';

export const addContract: OpContract = {
  operation: 'add',
  inputs: [
    { name: 'a', shape: map },
    { name: 'b', shape: map },
  ],
  output: { name: 'y', shape: map },
  weights: [],
  limits: [],
  mayAlias: ['a', 'b'],
  bound: rounding,
};

/** For an `add` or `multiply` that computes its first input on the way. */
export const fusedBound: ErrorBound = {
  maxAbs: 1e-6,
  relative: 5e-7,
  reason: 'the bound of the op that it takes in, and one rounding',
};

export const multiplyContract: OpContract = { ...addContract, operation: 'multiply' };

export const affineContract: OpContract = {
  operation: 'affine',
  inputs: [{ name: 'x', shape: map }],
  output: { name: 'y', shape: map },
  weights: [],
  limits: ['One finite scale and offset a channel, constants of the network; they are rounded to float32.'],
  mayAlias: ['x'],
  bound: { maxAbs: 2e-7, relative: 2e-7, reason: 'two float32 roundings, and those of the constants' },
};

export const scaleChannelsContract: OpContract = {
  operation: 'scaleChannels',
  inputs: [{ name: 'x', shape: map }],
  output: { name: 'y', shape: map },
  weights: [{ name: 'weight', shape: '[C]' }],
  limits: [],
  mayAlias: ['x'],
  bound: rounding,
};

export const sliceChannelsContract: OpContract = {
  operation: 'sliceChannels',
  inputs: [{ name: 'x', shape: map }],
  output: { name: 'y', shape: '[H, W, channels]' },
  weights: [],
  limits: ['An executor may give a view: then y is wherever x is.'],
  mayAlias: ['x'],
  bound: exact,
};

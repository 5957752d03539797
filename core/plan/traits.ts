import type { Operation } from '../graph/graph.js';

/**
 * How an op's work divides.
 * - `strips`: runs of neighbouring pixels in raster order; any division gives the same values.
 * - `windows`: attention windows, next to one another in a row of them. - `channelGroups`: groups of four channels over the whole map. - `once`: not divided.
 */
export type WorkRange = 'strips' | 'windows' | 'channelGroups' | 'once';

/** What an op reads of its inputs, and writes of its output, to handle one pixel (`window`: one window) of its range. */
export interface OperationTraits {
  readonly range: WorkRange;
  readonly reads: 'pixel' | 'window' | 'neighbourhood' | 'anywhere';
  readonly writes: 'pixel' | 'anywhere';
}

const pixelwise: OperationTraits = { range: 'strips', reads: 'pixel', writes: 'pixel' };
const rescaling: OperationTraits = { range: 'strips', reads: 'pixel', writes: 'anywhere' };

/** The traits of one operation: all that scheduling knows of it. */
export function traitsOf(operation: Operation): OperationTraits {
  switch (operation.op) {
    case 'input':
    case 'affine':
    case 'linear':
    case 'layerNorm':
    case 'activation':
    case 'add':
    case 'multiply':
    case 'scaleChannels':
    case 'sliceChannels':
    case 'route':
      return pixelwise;
    case 'conv2d':
      return { range: 'strips', reads: 'neighbourhood', writes: 'pixel' };
    case 'pixelShuffle':
    case 'upsampleNearest':
      return rescaling;
    case 'windowAttention':
      return { range: 'windows', reads: 'window', writes: 'pixel' };
    case 'selectiveScan':
      return { range: 'channelGroups', reads: 'anywhere', writes: 'anywhere' };
    case 'sortByClass':
      return { range: 'once', reads: 'anywhere', writes: 'anywhere' };
  }
}

import { expect, it } from '@jest/globals';
import { evaluateGraph } from '../../core/executors/reference/evaluate-graph.js';
import { createReferenceExecutor } from '../../core/executors/reference/reference-executor.js';
import { graphWeights } from '../../core/graph/weights.js';
import { featureMap } from '../../core/ops/feature-map.js';
import { toFloat32 } from '../../core/tensor/convert.js';
import { describeWithShared } from '../shared.js';
import {
  compareGolden,
  goldenInput,
  loadGolden,
  networkFixtures,
  recogniseGolden,
  relativeDistance,
  stored,
  toFloat64,
} from './golden-cases.js';

describeWithShared('the reference executor computes what the official code does', ['golden'], () => {
  it.each(networkFixtures)('%s', async (name) => {
    const comparison = await compareGolden(createReferenceExecutor(), name);
    // Values pass through float32 on their way out of an executor, which alone costs 3e-8.
    expect(comparison.output).toBeLessThanOrEqual(1e-6);
    for (const [tap, distance] of Object.entries(comparison.taps)) {
      expect({ tap, isClose: distance <= 1e-6 }).toEqual({ tap, isClose: true });
    }
    expect({ flips: comparison.classFlips, orderErrors: comparison.orderErrors }).toEqual({ flips: 0, orderErrors: 0 });
  });

  it.each(['mambairv2-light-x3-gumbel', 'mambairv2-classic-denoise-rgb-gumbel'])(
    'to float64 rounding inside: %s',
    async (name) => {
      const golden = await loadGolden(name);
      const { graph } = recogniseGolden(golden);
      const { shape, data } = goldenInput(golden);
      const [, channels = 0, height = 0, width = 0] = shape;
      const image = featureMap(height, width, channels);
      image.data.forEach((_, place) => {
        image.data[place] = data[(place % channels) * height * width + Math.floor(place / channels)] as number;
      });
      const weights = [...graphWeights(graph).keys()].map(
        (key) => [key, Float64Array.from(toFloat32(stored(golden.tensors, key)))] as const,
      );
      const values = await evaluateGraph(graph, new Map(weights), image, {
        noise: (block) => toFloat32(stored(golden.tensors, `noise${block}`)),
      });
      const output = values.get('output');
      const expected = stored(golden.tensors, 'output');
      const [, , rows = 0, columns = 0] = expected.shape;
      const cropped = Float64Array.from({ length: channels * rows * columns }, (_, place) => {
        const [channel, y, x] = [
          Math.floor(place / (rows * columns)),
          Math.floor(place / columns) % rows,
          place % columns,
        ];
        return output?.data[(y * output.width + x) * channels + channel] ?? Number.NaN;
      });
      expect(relativeDistance(cropped, toFloat64(expected))).toBeLessThanOrEqual(1e-12);
    },
  );
});

import { readFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import type { FeatureMap, IndexMap } from '../../core/ops/feature-map.js';
import { routeReference } from '../../core/ops/route/reference.js';
import { scan } from '../../core/ops/selective-scan/reference.js';
import { sortByClassReference } from '../../core/ops/sort-by-class/reference.js';
import { noiseHash4, seededNoise } from '../../core/routing/noise.js';
import { toInt32 } from '../../core/tensor/convert.js';
import { parseSafetensors } from '../../core/tensor/safetensors.js';
import { describeWithShared, sharedPath } from '../shared.js';
import { relativeDistance, stored, toFloat64 } from './golden-cases.js';

const names = ['mambairv2-unit-scan', 'mambairv2-unit-routing', 'mambairv2-unit-seeded-noise'] as const;
type UnitFixture = (typeof names)[number];

async function load<Case>(name: UnitFixture) {
  const file = (extension: string) => readFile(sharedPath(`golden/${name}.${extension}`) ?? name);
  const { tensors } = parseSafetensors(await file('safetensors'), name);
  const { cases } = JSON.parse((await file('json')).toString()) as { cases: readonly Case[] };
  return {
    cases,
    numbers: (key: string) => toFloat64(stored(tensors, key)),
    whole: (key: string) => toInt32(stored(tensors, key), key),
    shape: (key: string) => stored(tensors, key).shape,
    stored: (key: string) => stored(tensors, key),
  };
}

/** `[C, L]` → `[L, C]`. */
function transposed(values: Float64Array, rows: number): Float64Array {
  const columns = values.length / rows;
  return values.map((_, index) => values[(index % rows) * columns + Math.floor(index / rows)] as number);
}

describeWithShared('the official code, op by op', [`golden/${names[0]}.safetensors`], () => {
  it('agrees on seven scans, from one step to 4097 with hardly any decay', async () => {
    const { cases, numbers, shape } = await load('mambairv2-unit-scan');
    for (const index of cases.keys()) {
      const key = (name: string) => `case${index}.${name}`;
      const [batch = 0, channels = 0] = shape(key('u'));
      const states = shape(key('A'))[1] ?? 0;
      const item = (name: string, rows: number, b: number) => {
        const all = numbers(key(name));
        return transposed(all.subarray((b * all.length) / batch, ((b + 1) * all.length) / batch), rows);
      };
      for (let b = 0; b < batch; b += 1) {
        const y = scan({
          u: item('u', channels, b),
          delta: item('delta', channels, b),
          A: numbers(key('A')),
          B: item('B', states, b),
          C: item('C', states, b),
          D: numbers(key('D')),
          deltaBias: numbers(key('delta_bias')),
        });
        const expected = item('y', channels, b);
        const isZero = expected.every((value) => value === 0);
        const distance = isZero ? Math.max(...y.map(Math.abs)) : relativeDistance(y, expected);
        expect({ index, b, isClose: distance <= 1e-13 }).toEqual({ index, b, isClose: true });
      }
    }
    expect(cases).toHaveLength(7);
  });

  it('agrees on classes and stable orders, ties included', async () => {
    const { cases, numbers, whole, shape } = await load('mambairv2-unit-routing');
    for (const index of cases.keys()) {
      const [, width = 0, channels = 0] = shape(`case${index}.logits`);
      const logits: FeatureMap = { height: 1, width, channels, data: numbers(`case${index}.logits`) };
      const classes: IndexMap = routeReference(logits, numbers(`case${index}.noise`));
      const order = sortByClassReference(classes, channels).data;
      const inverse = new Int32Array(width);
      order.forEach((pixel, place) => {
        inverse[pixel] = place;
      });
      expect([...classes.data]).toEqual([...whole(`case${index}.cls`)]);
      expect([...order]).toEqual([...whole(`case${index}.order`)]);
      expect([...inverse]).toEqual([...whole(`case${index}.inverse`)]);
    }
    expect(cases).toHaveLength(3);
  });

  it('agrees on seeded noise: hashes exactly, values to float64 rounding', async () => {
    const fixture = await load<{ seed: number; block: number; y: number[]; x: number[]; tokens: number }>(
      'mambairv2-unit-seeded-noise',
    );
    fixture.cases.forEach(({ seed, block, x: [x0 = 0, x1 = 0], y: [y0 = 0, y1 = 0], tokens }, index) => {
      const hashBytes = new Uint8Array(fixture.stored(`case${index}.hash`).bytes);
      const hashes = [...new Uint32Array(hashBytes.buffer)];
      const found: number[] = [];
      for (let y = y0; y <= y1; y += 1) {
        for (let x = x0; x <= x1; x += 1) {
          for (let token = 0; token < tokens; token += 1) {
            found.push(noiseHash4(seed, block, { x, y, tokenGroup: token >> 2 })[token & 3] as number);
          }
        }
      }
      expect(found).toEqual(hashes);

      const [width, height] = [x1 - x0 + 1, y1 - y0 + 1];
      const noise = seededNoise({ seed, block, originX: x0, originY: y0, width, height, tokens });
      expect(relativeDistance(noise, fixture.numbers(`case${index}.gumbel64`))).toBeLessThan(1e-8);
    });
    expect(fixture.cases).toHaveLength(4);
  });
});

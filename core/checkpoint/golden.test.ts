import { readFileSync } from 'node:fs';
import { resourceUsage } from 'node:process';
import { expect, it } from '@jest/globals';
import { describeWithShared, sharedPath } from '../../test/shared.js';
import { isMambairError } from '../errors.js';
import { toFloat32 } from '../tensor/convert.js';
import { parseSafetensors } from '../tensor/safetensors.js';
import type { TensorMap } from '../tensor/tensor.js';
import { parseCheckpoint } from './read-checkpoint.js';

const variants = 'golden/pth-variants';
const hostile = 'golden/pth-hostile';

const load = (relative: string) => readFileSync(sharedPath(relative) ?? '');
const manifest = <Content>(relative: string) => JSON.parse(load(relative).toString()) as Content;

/** Tensors as plain values that compare by content, whatever their order. */
function plain(tensors: TensorMap): readonly unknown[] {
  return [...tensors]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { dtype, shape, bytes }]) => [name, dtype, shape, Buffer.from(bytes).toString('hex')]);
}

describeWithShared('checkpoints of every kind', [variants], () => {
  interface Entry {
    readonly file: string;
    readonly groups: readonly { readonly path: readonly string[]; readonly twin: string }[];
    readonly default_group?: readonly string[];
  }
  const { entries } = manifest<{ entries: readonly Entry[] }>(`${variants}/pth-variants.json`);

  it.each(entries)('reads $file as its twins', ({ file, groups, default_group: byDefault }) => {
    const bytes = load(`${variants}/${file}`);
    for (const { path, twin } of groups) {
      const { tensors, group } = parseCheckpoint(bytes, file, { group: path[0] ?? '' });
      expect(plain(tensors)).toEqual(plain(parseSafetensors(load(`${variants}/${twin}`), twin).tensors));
      expect(group).toEqual(path);
    }
    expect(parseCheckpoint(bytes, file).group).toEqual(byDefault ?? groups[0]?.path);
  });

  const controls = {
    'st-ok-unaligned.safetensors': {
      a: [
        [2, 2],
        [0, 1, 2, 3],
      ],
      b: [[3], [1, 2, 3]],
    },
    'st-ok-metadata-unordered.safetensors': { a: [[4], [0, 1, 2, 3]], b: [[3], [1, 2, 3]] },
    'st-ok-empty.safetensors': {},
    'st-ok-zero-size-and-scalar.safetensors': { e: [[0], []], s: [[], [1]], e2: [[3, 0, 2], []] },
  };

  it.each(Object.entries(controls))('reads %s', (file, expected) => {
    const { tensors } = parseCheckpoint(load(`${variants}/${file}`), file);
    const values = [...tensors].map(([name, stored]) => [name, [stored.shape, [...toFloat32(stored)]]]);
    expect(Object.fromEntries(values)).toEqual(expected);
  });
});

describeWithShared('hostile checkpoints', [hostile], () => {
  interface Entry {
    readonly file: string;
    readonly outcome: 'refuse' | 'load-or-refuse';
    readonly error_classes: readonly string[];
  }
  const { files, limits } = manifest<{
    files: readonly Entry[];
    limits: { seconds_per_file: number; extra_resident_memory_MiB: number };
  }>(`${hostile}/pth-hostile.json`);
  const prototype = Object.getOwnPropertyNames(Object.prototype);

  it.each(files)('meets $file with an accepted outcome', ({ file, outcome, error_classes: classes }) => {
    const bytes = load(`${hostile}/${file}`);
    const peakBefore = resourceUsage().maxRSS;
    const start = performance.now();
    let result = 'loaded';
    try {
      parseCheckpoint(bytes, file);
    } catch (error) {
      result = isMambairError(error) ? error.code : String(error);
    }
    expect(performance.now() - start).toBeLessThan(1000 * limits.seconds_per_file);
    expect(resourceUsage().maxRSS - peakBefore).toBeLessThan(1024 * limits.extra_resident_memory_MiB);
    const refusals = classes.map((name) => `MAMBAIR_${name}`);
    expect(outcome === 'refuse' ? refusals : ['loaded', ...refusals]).toContain(result);
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(prototype);
  });
});

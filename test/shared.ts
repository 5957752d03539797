import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, it } from '@jest/globals';

const root = resolve(process.cwd(), '../shared');

/** Absolute path of a file of the shared material beside the repository, or undefined on a machine without it. */
export function sharedPath(relative: string): string | undefined {
  const path = resolve(root, relative);
  return existsSync(path) ? path : undefined;
}

/** `describe` when all the named shared paths exist; else one skipped test that names what is missing. */
export function describeWithShared(name: string, paths: readonly string[], body: () => void): void {
  const missing = paths.filter((path) => sharedPath(path) === undefined);
  if (missing.length === 0) {
    describe(name, body);
  } else {
    it.skip(`${name} (needs ../shared/${missing.join(', ../shared/')})`, () => undefined);
  }
}

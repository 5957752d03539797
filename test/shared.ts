import { describe, it } from '@jest/globals';
import { sharedPath } from './shared-path.js';

export { sharedPath } from './shared-path.js';

/** `describe` when all the named shared paths exist; else one skipped test that names what is missing. */
export function describeWithShared(name: string, paths: readonly string[], body: () => void): void {
  const missing = paths.filter((path) => sharedPath(path) === undefined);
  if (missing.length === 0) {
    describe(name, body);
  } else {
    it.skip(`${name} (needs ../shared/${missing.join(', ../shared/')})`, () => undefined);
  }
}

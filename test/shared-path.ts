import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(process.cwd(), '../shared');

/** Absolute path of a file of the shared material beside the repository, or undefined on a machine without it. */
export function sharedPath(relative: string): string | undefined {
  const path = resolve(root, relative);
  return existsSync(path) ? path : undefined;
}

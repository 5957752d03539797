import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const folders = new Set<string>();

/** Notes that results are being written into a folder. */
export function noteOutputFolder(folder: string): void {
  folders.add(folder);
}

/**
 * Removes what this process has half written. Only for a process that ends without waiting for its writers, which
 * otherwise clean up themselves; their temporary names hold the number of the process.
 */
export function removePartialFiles(): void {
  for (const folder of folders) {
    for (const name of names(folder)) {
      if (name.includes(`.partial-${process.pid}-`)) {
        rmSync(join(folder, name), { force: true });
      }
    }
  }
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

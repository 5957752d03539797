import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/** The version of a package as this one would import it, or undefined where it is not installed. */
export async function installedVersion(name: string): Promise<string | undefined> {
  try {
    const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return (JSON.parse(await readFile(path, 'utf8')) as { version?: string }).version;
  } catch {
    return undefined;
  }
}

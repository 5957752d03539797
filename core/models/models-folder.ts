import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own `models/` folder, where the embedded weights lie. */
export function embeddedModelsFolder(): string {
  return fileURLToPath(new URL('../../../models/', import.meta.url));
}

/**
 * Where fetched models are kept: `$MAMBAIR_HOME/models`, else the platform's cache folder
 * (`$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`).
 */
export function pulledModelsFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
): string {
  return join(cacheFolder(environment, platform), 'models');
}

/** The folder of what can be fetched or found out again: `$MAMBAIR_HOME`, else the platform's cache folder. */
export function cacheFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
): string {
  const { MAMBAIR_HOME: home, LOCALAPPDATA: localAppData, XDG_CACHE_HOME: xdgCache } = environment;
  if (home !== undefined && home !== '') {
    return home;
  }
  if (platform === 'win32') {
    return join(localAppData ?? join(homedir(), 'AppData', 'Local'), 'mambair', 'Cache');
  }
  if (platform === 'darwin') {
    return join(homedir(), 'Library', 'Caches', 'mambair');
  }
  return join(xdgCache !== undefined && xdgCache !== '' ? xdgCache : join(homedir(), '.cache'), 'mambair');
}

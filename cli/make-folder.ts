import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MambairError } from '../core/index.js';
import { noteOutputFolder } from './partial-files.js';

/** Makes the folder that a file will lie in. @throws MAMBAIR_FILE_WRITE */
export async function makeFolderOf(path: string): Promise<void> {
  const folder = dirname(path);
  noteOutputFolder(folder);
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new MambairError(
      'MAMBAIR_FILE_WRITE',
      `the folder ${folder} could not be made: ${(error as Error).message}`,
      {
        cause: error,
        detail: { path: folder },
      },
    );
  });
}

import type { PickleStorage, PickleValue } from './pickle-values.js';

/** An opened PyTorch file of either format: its object, and access to the storages the object refers to. */
export interface PthFile {
  readonly root: PickleValue;
  /**
   * All bytes of a storage, little-endian: exactly `count` elements. Each storage is checked and read once.
   * @throws MAMBAIR_STORAGE_INVALID, and for zip files MAMBAIR_ZIP_CRC and MAMBAIR_ZIP_MALFORMED
   */
  readonly loadStorage: (storage: PickleStorage) => Uint8Array;
  readonly warnings: readonly string[];
}

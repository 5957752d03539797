import { excerpt, excerptList, fileError } from '../tensor/file-error.js';
import { dtypeBytes } from '../tensor/tensor.js';
import { decodeUtf8 } from '../tensor/utf8.js';
import { runPickle } from './pickle.js';
import type { PickleStorage } from './pickle-values.js';
import type { PthFile } from './pth-file.js';
import type { ZipArchive } from './zip.js';
import { openZip, readMember } from './zip.js';

/** The pickle of the largest official model has 0.2 MB; storages stand outside of it. */
const maxPickleBytes = 64 * 2 ** 20;

/** Newest archive version that PyTorch has written, `kProducedFileFormatVersion` and its successors. */
const newestVersion = 10;

/**
 * Opens a PyTorch zip archive: `<root>/data.pkl` is the object, `<root>/data/<key>` are the storages.
 * @throws MAMBAIR_PTH_MALFORMED, MAMBAIR_PTH_UNSUPPORTED, the MAMBAIR_ZIP_ and the MAMBAIR_PICKLE_ codes
 */
export function openZipCheckpoint(bytes: Uint8Array, fileName: string): PthFile {
  const archive = openZip(bytes, fileName);
  const root = findRoot(archive);
  const isBigEndian = readByteOrder(archive, root) === 'big';
  const part = `${root}/data.pkl`;
  const pickle = readRequired(archive, part);
  const { value } = runPickle(pickle, { fileName, part, start: 0, tensors: 'zip' });
  const loaded = new Map<string, Uint8Array>();
  const loadStorage = (storage: PickleStorage): Uint8Array => {
    const content = loaded.get(storage.key) ?? readStorage(archive, root, { storage, isBigEndian });
    loaded.set(storage.key, content);
    return content;
  };
  return { root: value, loadStorage, warnings: checkVersion(archive, root) };
}

/** The folder within the archive that holds everything: the file's stem, or `archive`. */
function findRoot(archive: ZipArchive): string {
  const suffix = '/data.pkl';
  const names = [...archive.members.keys()];
  const [pickle, ...others] = names.filter((name) => name.endsWith(suffix));
  if (pickle === undefined || others.length > 0) {
    throw fileError(
      'MAMBAIR_PTH_MALFORMED',
      archive.fileName,
      pickle === undefined
        ? `a zip archive without a member .../data.pkl is no PyTorch checkpoint; it ${
            names.length === 0 ? 'is empty' : `holds ${excerptList(names, 3)}`
          }`
        : `a checkpoint has one member .../data.pkl, this archive has ${excerptList([pickle, ...others], 3)}`,
    );
  }
  const root = pickle.slice(0, -suffix.length);
  if (archive.members.has(`${root}/constants.pkl`)) {
    throw fileError(
      'MAMBAIR_PTH_UNSUPPORTED',
      archive.fileName,
      'a TorchScript archive cannot be read; save the state_dict() of the model with torch.save',
    );
  }
  return root;
}

function readRequired(archive: ZipArchive, name: string): Uint8Array {
  const member = archive.members.get(name);
  if (member === undefined || member.size > maxPickleBytes) {
    throw fileError(
      'MAMBAIR_PICKLE_LIMIT',
      archive.fileName,
      `member ${excerpt(name)} has ${member?.size} bytes; at most ${maxPickleBytes} are read`,
    );
  }
  return readMember(archive, member);
}

/** The word in a small member, if there is such a member. */
function readWord(archive: ZipArchive, name: string): string | undefined {
  const member = archive.members.get(name);
  if (member === undefined) {
    return undefined;
  }
  return member.size > 64 ? '' : (decodeUtf8(readMember(archive, member)) ?? '').trim();
}

function readByteOrder(archive: ZipArchive, root: string): 'little' | 'big' {
  const order = readWord(archive, `${root}/byteorder`) ?? 'little';
  if (order !== 'little' && order !== 'big') {
    throw fileError(
      'MAMBAIR_PTH_MALFORMED',
      archive.fileName,
      `the byte order should be little or big, but is ${excerpt(order)}`,
    );
  }
  return order;
}

function checkVersion(archive: ZipArchive, root: string): readonly string[] {
  const version = readWord(archive, `${root}/version`) ?? '';
  return /^[0-9]+$/.test(version) && Number(version) <= newestVersion
    ? []
    : version === ''
      ? []
      : [`archive version ${excerpt(version)} is not known (${newestVersion} is the newest); read all the same`];
}

function readStorage(
  archive: ZipArchive,
  root: string,
  { storage, isBigEndian }: { readonly storage: PickleStorage; readonly isBigEndian: boolean },
): Uint8Array {
  const name = `${root}/data/${storage.key}`;
  const member = archive.members.get(name);
  const width = dtypeBytes[storage.dtype];
  if (member?.size !== storage.count * width) {
    throw fileError(
      'MAMBAIR_STORAGE_INVALID',
      archive.fileName,
      member === undefined
        ? `storage ${storage.key} is missing (member ${excerpt(name)})`
        : `storage ${storage.key} should have ${storage.count} x ${width} bytes, member ${excerpt(name)} has ${member.size}`,
      { storage: storage.key, member: name },
    );
  }
  const content = readMember(archive, member);
  return isBigEndian && width > 1 ? swapBytes(content, width) : content;
}

/** Reverses the bytes of each element. */
function swapBytes(content: Uint8Array, width: number): Uint8Array {
  const swapped = new Uint8Array(content.length);
  for (let start = 0; start < content.length; start += width) {
    for (let index = 0; index < width; index++) {
      swapped[start + index] = content[start + width - 1 - index] as number;
    }
  }
  return swapped;
}

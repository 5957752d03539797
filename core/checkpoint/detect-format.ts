import type { MambairError } from '../errors.js';
import { fileError } from '../tensor/file-error.js';

/** The container of a checkpoint: safetensors, PyTorch's zip archive (since 1.6), PyTorch's older plain file. */
export type CheckpointFormat = 'safetensors' | 'pth-zip' | 'pth-legacy';

/** Number of bytes from the start of a file that {@link detectFormat} wants to see. */
export const detectionBytes = 1024;

/** The number with which torch.save begins a legacy file, 0x1950a86a20f9469cfc6c, as LONG1 writes it, and STOP. */
const legacyMagic = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

const startsWith = (head: Uint8Array, signature: readonly number[], at = 0) =>
  signature.every((byte, index) => head[at + index] === byte);

const ascii = (text: string) => Array.from(text, (character) => character.charCodeAt(0));

function isPickle(head: Uint8Array): boolean {
  const protocol = head[1] ?? 0;
  return head[0] === 0x80 && protocol >= 2 && protocol <= 5;
}

function isLegacy(head: Uint8Array): boolean {
  // From protocol 4 on a frame header (opcode and u64) may stand before the number.
  const start = head[2] === 0x95 ? 11 : 2;
  return isPickle(head) && startsWith(head, legacyMagic, start);
}

function isSafetensors(head: Uint8Array, fileSize: number): boolean {
  if (head.length < 9 || head[8] !== 0x7b) {
    return false;
  }
  const headerLength = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true);
  return headerLength + 8n <= BigInt(fileSize);
}

/** Signatures of what people hand over in place of a checkpoint, with what to do about it. */
const binarySignatures: readonly { readonly signature: readonly number[]; readonly is: string }[] = [
  { signature: [0x1f, 0x8b], is: 'a gzip file; unpack it first' },
  { signature: [0x28, 0xb5, 0x2f, 0xfd], is: 'a zstd file; unpack it first' },
  { signature: [0xfd, ...ascii('7zXZ')], is: 'an xz file; unpack it first' },
  { signature: [...ascii('7z'), 0xbc, 0xaf, 0x27, 0x1c], is: 'a 7-zip archive; unpack it first' },
  { signature: ascii('Rar!'), is: 'a RAR archive; unpack it first' },
  { signature: [0x89, ...ascii('PNG')], is: 'a PNG image' },
  { signature: [0xff, 0xd8, 0xff], is: 'a JPEG image' },
  { signature: ascii('GGUF'), is: 'a GGUF file; this is not a model of the MambaIR family' },
  { signature: [0x89, ...ascii('HDF')], is: 'an HDF5 file (Keras); only PyTorch and safetensors files can be read' },
];

function describeText(text: string): string | undefined {
  if (!/^[\t\n\f\r\x20-\x7e\u0080-\uffff]+$/.test(text)) {
    return undefined;
  }
  const start = text.trimStart().toLowerCase();
  if (start.startsWith('version https://git-lfs')) {
    return "a git-lfs pointer, not the file itself; run 'git lfs pull' or download the file from its page";
  }
  if (start.startsWith('<!doctype') || start.startsWith('<html') || start.startsWith('<?xml')) {
    return 'a web page; the download went wrong, fetch the file itself';
  }
  if (start.startsWith('{') || start.startsWith('[')) {
    return 'JSON text, perhaps the error answer of a server; fetch the file itself';
  }
  return 'text';
}

/** What a file that is no checkpoint seems to be; undefined when nothing is recognised. */
function describeOther(head: Uint8Array): string | undefined {
  if (head.length === 0) {
    return 'an empty file';
  }
  if (head.every((byte) => byte === 0)) {
    return 'nothing but zeros, as an unfinished download is';
  }
  const known = binarySignatures.find(({ signature }) => startsWith(head, signature));
  if (known !== undefined) {
    return known.is;
  }
  if (isPickle(head)) {
    return 'a Python pickle that torch.save did not write; save a state dict with torch.save';
  }
  return describeText(new TextDecoder('utf-8').decode(head.subarray(0, 512)));
}

function notACheckpoint(fileName: string, what: string): MambairError {
  return fileError(
    'MAMBAIR_NOT_A_CHECKPOINT',
    fileName,
    `expected a .safetensors file or a PyTorch checkpoint, but this is ${what}`,
  );
}

/**
 * Tells the container of a checkpoint by its content. The name decides nothing but the error: a file that is called
 * `.safetensors` and looks like nothing else goes to that format's reader, which can say what is wrong with it.
 * `head` is the start of the file (all of it, or at least {@link detectionBytes}), `fileSize` its whole length in bytes.
 * @throws MAMBAIR_NOT_A_CHECKPOINT, with what the file seems to be; MAMBAIR_PTH_UNSUPPORTED for PyTorch's oldest format
 */
export function detectFormat(head: Uint8Array, fileSize: number, fileName: string): CheckpointFormat {
  if (isSafetensors(head, fileSize)) {
    return 'safetensors';
  }
  if (startsWith(head, [0x50, 0x4b, 3, 4]) || startsWith(head, [0x50, 0x4b, 5, 6])) {
    return 'pth-zip';
  }
  if (isLegacy(head)) {
    return 'pth-legacy';
  }
  if (startsWith(head, ascii('ustar'), 257)) {
    throw fileError(
      'MAMBAIR_PTH_UNSUPPORTED',
      fileName,
      'a tar file, the format of PyTorch before 0.1.10, cannot be read; load and save it again with a newer PyTorch',
    );
  }
  const other = describeOther(head.subarray(0, detectionBytes));
  if (other === undefined && fileName.toLowerCase().endsWith('.safetensors')) {
    return 'safetensors';
  }
  throw notACheckpoint(fileName, other ?? 'something unknown');
}

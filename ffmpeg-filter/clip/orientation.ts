import { open, type FileHandle } from 'node:fs/promises';
import { MambairError } from '../../core/index.js';
import type { SideData } from '../command/probed-input.js';

/** How a player turns pictures: the nine numbers of QuickTime's matrix (16.16 fixed point, the third of each row 2.30). */
export type DisplayMatrix = readonly number[];

const identity: DisplayMatrix = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

/** The matrix of a stream, as ffprobe prints it; undefined where there is none, or one that changes nothing. */
export function displayMatrix(sideData: readonly SideData[]): DisplayMatrix | undefined {
  const printed = sideData.find(({ side_data_type: kind }) => kind === 'Display Matrix')?.['displaymatrix'];
  const rows = (typeof printed === 'string' ? printed : '').split('\n').filter((line) => line.includes(':'));
  const matrix = rows.flatMap((row) =>
    row
      .slice(row.indexOf(':') + 1)
      .trim()
      .split(/\s+/)
      .map(Number),
  );
  return matrix.length === 9 && matrix.every(Number.isInteger) && matrix.some((value, at) => value !== identity[at])
    ? matrix
    : undefined;
}

/**
 * Writes a matrix into the header of a finished mp4 or mov file (ISO/IEC 14496-12, 8.3.2), in the place of the one that is
 * there: ffmpeg before 6 has no way to give one to a stream that it encodes. Nothing else in the file changes. What the
 * matrix moves by grows with the pictures.
 * @throws MAMBAIR_VIDEO_MALFORMED when the file has no such track
 */
export async function writeDisplayMatrix(
  path: string,
  track: number,
  matrix: DisplayMatrix,
  scale: number,
): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const place = await matrixPlace(file, path, track);
    const bytes = Buffer.alloc(36);
    matrix.forEach((value, at) => {
      const isOffset = at === 6 || at === 7;
      bytes.writeInt32BE(isOffset ? value * scale : value, 4 * at);
    });
    await file.write(bytes, 0, bytes.length, place);
    await file.sync();
  } finally {
    await file.close();
  }
}

interface Box {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

async function matrixPlace(file: FileHandle, path: string, track: number): Promise<number> {
  const { size } = await file.stat();
  const movie = (await boxes(file, 0, size)).find(({ type }) => type === 'moov');
  const tracks =
    movie === undefined ? [] : (await boxes(file, movie.start, movie.end)).filter(({ type }) => type === 'trak');
  const found = tracks[track];
  const header = found && (await boxes(file, found.start, found.end)).find(({ type }) => type === 'tkhd');
  if (header === undefined) {
    throw new MambairError(
      'MAMBAIR_VIDEO_MALFORMED',
      `${path}: expected a track ${track} to say the orientation of, found none`,
      {
        detail: { file: path },
      },
    );
  }
  const version = Buffer.alloc(1);
  await file.read(version, 0, 1, header.start);
  // Version, flags, two times, number, duration; then 8 + 8 bytes up to the matrix. Version 1 has 64-bit times.
  return header.start + (version[0] === 1 ? 4 + 32 : 4 + 20) + 16;
}

/** The boxes between two places of a file: where their contents lie. */
async function boxes(file: FileHandle, from: number, to: number): Promise<readonly Box[]> {
  const found: Box[] = [];
  const head = Buffer.alloc(16);
  for (let at = from; at + 8 <= to; ) {
    await file.read(head, 0, 16, at);
    const type = head.toString('latin1', 4, 8);
    const short = head.readUInt32BE(0);
    const length = short === 1 ? Number(head.readBigUInt64BE(8)) : short === 0 ? to - at : short;
    if (length < 8 || at + length > to) {
      break;
    }
    found.push({ type, start: at + (short === 1 ? 16 : 8), end: at + length });
    at += length;
  }
  return found;
}

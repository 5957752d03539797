/** Profiles of the International Color Consortium (ISO 15076-1), as far as we look into them. */

/** Larger profiles are not believed: the largest in use (printer profiles) stay below 4 MiB. */
const MAX_ICC_BYTES = 16 * 1024 * 1024;
const HEADER_BYTES = 128;

/** Checks a profile's header (section 7.2) against the number of colour channels. */
export function isUsableIccProfile(icc: Uint8Array, colourChannels: 1 | 3): boolean {
  if (icc.length < HEADER_BYTES + 4 || icc.length > MAX_ICC_BYTES) {
    return false;
  }
  const size = viewOf(icc).getUint32(0);
  const space = colourChannels === 1 ? 'GRAY' : 'RGB ';
  return signature(icc, 36) === 'acsp' && size <= icc.length && signature(icc, 16) === space;
}

/**
 * An RGB profile under which equal red, green and blue look as the gray value does under the given gray profile: sRGB's
 * primaries with the gray tone curve on each. For formats that store gray as RGB. Undefined when the profile has no
 * plain tone curve relative to XYZ.
 */
export function grayProfileAsRgb(icc: Uint8Array): Uint8Array | undefined {
  if (!isUsableIccProfile(icc, 1) || signature(icc, 20) !== 'XYZ ') {
    return undefined;
  }
  const tags = readTags(icc);
  const curve = tags.get('kTRC');
  if (curve === undefined) {
    return undefined;
  }
  const kept = ['desc', 'cprt', 'wtpt', 'chad'].flatMap((name) => {
    const tag = tags.get(name);
    return tag === undefined ? [] : [[name, tag] as const];
  });
  const body = encodeTags([
    ...kept,
    ...srgbColumns.map(([name, column]) => [name, encodeXyz(column)] as const),
    ['rTRC', curve],
    ['gTRC', curve],
    ['bTRC', curve],
  ]);
  const header = Buffer.from(icc.subarray(0, HEADER_BYTES));
  header.writeUInt32BE(HEADER_BYTES + body.length, 0);
  header.write('RGB ', 16, 'latin1');
  header.fill(0, 84, 100); // the profile's checksum no longer holds; zero means none
  return Buffer.concat([header, body]);
}

/** sRGB's primaries (IEC 61966-2-1) adapted to D50, as profiles state them. */
const srgbColumns: readonly (readonly [string, readonly [number, number, number]])[] = [
  ['rXYZ', [0.43607, 0.22249, 0.01392]],
  ['gXYZ', [0.38515, 0.71687, 0.09708]],
  ['bXYZ', [0.14307, 0.06061, 0.7141]],
];

/** Tags by signature (section 7.3); those that lie outside the profile are left out. */
function readTags(icc: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const view = viewOf(icc);
  const tags = new Map<string, Uint8Array>();
  const count = Math.min(view.getUint32(HEADER_BYTES), 100);
  for (let i = 0, at = HEADER_BYTES + 4; i < count && at + 12 <= icc.length; i++, at += 12) {
    const [offset, size] = [view.getUint32(at + 4), view.getUint32(at + 8)];
    if (offset + size <= icc.length) {
      tags.set(signature(icc, at), icc.subarray(offset, offset + size));
    }
  }
  return tags;
}

function encodeTags(tags: readonly (readonly [string, Uint8Array])[]): Uint8Array {
  const table = Buffer.alloc(4 + 12 * tags.length);
  table.writeUInt32BE(tags.length, 0);
  const chunks: Uint8Array[] = [table];
  let offset = HEADER_BYTES + table.length;
  for (const [i, [name, data]] of tags.entries()) {
    table.write(name, 4 + 12 * i, 'latin1');
    table.writeUInt32BE(offset, 8 + 12 * i);
    table.writeUInt32BE(data.length, 12 + 12 * i);
    const padding = (4 - (data.length % 4)) % 4;
    chunks.push(data, new Uint8Array(padding));
    offset += data.length + padding;
  }
  return Buffer.concat(chunks);
}

/** An XYZ tag: numbers with 16 bits behind the point. */
function encodeXyz(values: readonly [number, number, number]): Uint8Array {
  const bytes = Buffer.alloc(20);
  bytes.write('XYZ ', 0, 'latin1');
  for (const [i, value] of values.entries()) {
    bytes.writeInt32BE(Math.round(value * 65536), 8 + 4 * i);
  }
  return bytes;
}

function signature(icc: Uint8Array, at: number): string {
  return Buffer.from(icc.subarray(at, at + 4)).toString('latin1');
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

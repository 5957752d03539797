import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MemberSpec } from '../../test/checkpoint-files.js';
import { zipFile } from '../../test/checkpoint-files.js';
import { isMambairError } from '../errors.js';
import { openZip, readMember } from './zip.js';

const data = Uint8Array.of(1, 2, 3, 4);
const member = (changes: Partial<MemberSpec> = {}): MemberSpec => ({ name: 'a/b', data, ...changes });

/** Every member's content, as a reader gets it. */
function readAll(bytes: Uint8Array): ReadonlyMap<string, readonly number[]> {
  const archive = openZip(bytes, 'x.pth');
  return new Map([...archive.members].map(([name, entry]) => [name, [...readMember(archive, entry)]]));
}

function codeOf(bytes: Uint8Array): unknown {
  try {
    readAll(bytes);
    return 'none';
  } catch (error) {
    return isMambairError(error) ? error.code : error;
  }
}

describe('zip archives', () => {
  it('reads stored and deflated members, whatever the comment', () => {
    const members = fc.uniqueArray(
      fc.record({
        name: fc.stringMatching(/^[a-z]{1,3}\/[a-z0-9.]{1,6}$/).filter((name) => !name.endsWith('/..')),
        data: fc.uint8Array({ maxLength: 300 }),
        isDeflated: fc.boolean(),
      }),
      { selector: ({ name }) => name, maxLength: 5 },
    );
    fc.assert(
      fc.property(members, fc.string(), (specs, comment) => {
        expect(readAll(zipFile(specs, comment))).toEqual(new Map(specs.map((spec) => [spec.name, [...spec.data]])));
      }),
      { seed: 1 },
    );
  });

  it('hands out a stored member without a copy', () => {
    const bytes = zipFile([member()]);
    const archive = openZip(bytes, 'x.pth');
    const [entry] = archive.members.values();
    expect(entry && readMember(archive, entry).buffer).toBe(bytes.buffer);
  });

  it.each<readonly [string, readonly MemberSpec[], string]>([
    ['a wrong checksum', [member({ lies: { crc: 1 } })], 'ZIP_CRC'],
    ['encryption', [member({ lies: { flags: 1 } })], 'ZIP_UNSUPPORTED'],
    ['another compression', [member({ lies: { method: 12 } })], 'ZIP_UNSUPPORTED'],
    ['the same name twice', [member(), member()], 'ZIP_MALFORMED'],
    ['another name in the local header', [member({ localName: 'a/c' })], 'ZIP_MALFORMED'],
    ['two sizes for a stored member', [member({ lies: { size: 3 } })], 'ZIP_MALFORMED'],
    [
      'members that overlap',
      [member(), member({ name: 'a/c', localName: 'a/b', lies: { offset: 0 } })],
      'ZIP_MALFORMED',
    ],
    ['a member beyond the directory', [member({ lies: { size: 99, compressedSize: 99 } })], 'ZIP_MALFORMED'],
    ['a local header elsewhere', [member({ lies: { offset: 3 } })], 'ZIP_MALFORMED'],
    ['an absolute name', [member({ name: '/a' })], 'ZIP_MALFORMED'],
    ['a name with a drive', [member({ name: 'C:a' })], 'ZIP_MALFORMED'],
    ['a name that climbs', [member({ name: 'a/../../b' })], 'ZIP_MALFORMED'],
    ['a name with a backslash', [member({ name: 'a\\b' })], 'ZIP_MALFORMED'],
    ['more bytes than declared', [member({ isDeflated: true, lies: { size: 3 } })], 'ZIP_MALFORMED'],
    ['fewer bytes than declared', [member({ isDeflated: true, lies: { size: 5 } })], 'ZIP_MALFORMED'],
    ['zip64 sizes that are missing', [member({ lies: { size: 0xffffffff } })], 'ZIP_MALFORMED'],
    ['a bomb', [member({ data: new Uint8Array(2 ** 21), isDeflated: true })], 'ZIP_LIMIT'],
  ])('refuses %s', (_, members, code) => {
    expect(codeOf(zipFile(members))).toBe(`MAMBAIR_${code}`);
  });

  it('refuses an archive without its end', () => {
    const bytes = zipFile([member()]);
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(bytes.subarray(0, length))).toBe('MAMBAIR_ZIP_MALFORMED');
    }
  });
});

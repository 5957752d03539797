import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { inTemporaryFolder, randomImage } from '../../test/image-samples.js';
import { checkWritable, type ImageSpec } from './image-spec.js';
import { openImageWriter, writeImage } from './write-image.js';

const image = randomImage(64, 48, 3, 8);
const spec: ImageSpec = { width: 64, height: 48, channels: 3, depth: 8, format: 'png' };

describe('an image writer', () => {
  it('shows nothing under the name before finish, and only that name afterwards', async () => {
    await inTemporaryFolder(async (folder) => {
      const writer = await openImageWriter(join(folder, 'a.png'), spec);
      await writer.sink.write(image);
      expect(await readdir(folder)).not.toContain('a.png');
      await writer.finish();
      expect(await readdir(folder)).toEqual(['a.png']);
    });
  });

  it('leaves nothing after abort, at every stage', async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'a.png');
      const untouched = await openImageWriter(path, spec);
      await untouched.abort();
      const half = await openImageWriter(path, spec);
      await half.sink.write(image);
      await half.abort();
      await half.abort();
      await expect(half.sink.write(image)).rejects.toMatchObject({ code: 'MAMBAIR_CANCELLED' });
      const done = await openImageWriter(path, spec);
      await done.sink.write(image);
      const finishing = done.finish();
      await Promise.all([expect(finishing).rejects.toMatchObject({ code: 'MAMBAIR_CANCELLED' }), done.abort()]);
      expect(await readdir(folder)).toEqual([]);
    });
  });

  it('stops a running encoder when the signal says so', async () => {
    await inTemporaryFolder(async (folder) => {
      const large = randomImage(3000, 64, 3, 8);
      const cancel = new AbortController();
      const options = { ...spec, width: 3000, height: 64 * 100, signal: cancel.signal };
      const writer = await openImageWriter(join(folder, 'a.png'), options);
      for (let i = 0; i < 100; i++) {
        await writer.sink.write(large);
      }
      const started = performance.now();
      setTimeout(() => cancel.abort(), 50);
      await expect(writer.finish()).rejects.toMatchObject({ code: 'MAMBAIR_CANCELLED' });
      expect(performance.now() - started).toBeLessThan(1000);
      expect(await readdir(folder)).toEqual([]);
      await expect(openImageWriter(join(folder, 'a.png'), options)).rejects.toMatchObject({
        code: 'MAMBAIR_CANCELLED',
      });
    });
  });

  it('does not overwrite unless asked', async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'a.png');
      await writeFile(path, 'mine');
      await expect(openImageWriter(path, spec)).rejects.toMatchObject({ code: 'MAMBAIR_FILE_EXISTS' });
      expect(await readFile(path, 'utf8')).toBe('mine');
      await writeImage(path, image, { format: 'png', overwrite: true });
      expect((await readFile(path)).subarray(1, 4).toString()).toBe('PNG');
      const other = join(folder, 'b.png');
      const writer = await openImageWriter(other, spec);
      await writer.sink.write(image);
      await writeFile(other, 'made meanwhile');
      await expect(writer.finish()).rejects.toMatchObject({ code: 'MAMBAIR_FILE_EXISTS' });
      expect((await readdir(folder)).toSorted()).toEqual(['a.png', 'b.png']);
    });
  });

  it('replaces the picture behind a link, not the link', async () => {
    await inTemporaryFolder(async (folder) => {
      await writeFile(join(folder, 'real.png'), 'old');
      await symlink(join(folder, 'real.png'), join(folder, 'link.png'));
      await writeImage(join(folder, 'link.png'), image, { format: 'png', overwrite: true });
      expect((await readFile(join(folder, 'real.png'))).subarray(1, 4).toString()).toBe('PNG');
    });
  });

  it('names what is wrong with the place, and leaves nothing', async () => {
    await inTemporaryFolder(async (folder) => {
      await writeFile(join(folder, 'file'), '');
      await mkdir(join(folder, 'folder.png'));
      for (const path of ['missing/a.png', 'file/a.png', 'folder.png']) {
        await expect(openImageWriter(join(folder, path), spec)).rejects.toMatchObject({ code: 'MAMBAIR_FILE_WRITE' });
      }
      expect((await readdir(folder)).toSorted()).toEqual(['file', 'folder.png']);
    });
  });

  it('fails where nothing may be written', async () => {
    await inTemporaryFolder(async (folder) => {
      // root may write into read-only folders, but nobody into the process file system
      const forbidden = process.getuid?.() === 0 ? '/proc' : folder;
      await chmod(folder, 0o500);
      await expect(openImageWriter(join(forbidden, 'a.png'), spec)).rejects.toMatchObject({
        code: 'MAMBAIR_FILE_WRITE',
      });
      await chmod(folder, 0o700);
      expect(await readdir(folder)).toEqual([]);
    });
  });

  it('refuses a folder whose disk cannot hold the rows', async () => {
    await inTemporaryFolder(async (folder) => {
      const huge: ImageSpec = { ...spec, width: 10_000_000, height: 10_000_000, channels: 4, depth: 16 };
      await expect(openImageWriter(join(folder, 'a.png'), huge)).rejects.toMatchObject({ code: 'MAMBAIR_FILE_WRITE' });
      expect(await readdir(folder)).toEqual([]);
    });
  });

  it('checks the rows', async () => {
    await inTemporaryFolder(async (folder) => {
      const writer = await openImageWriter(join(folder, 'a.png'), spec);
      const invalid = { code: 'MAMBAIR_OPTION_INVALID' };
      await expect(writer.sink.write(randomImage(64, 48, 3, 16))).rejects.toMatchObject(invalid);
      await expect(writer.sink.write(randomImage(64, 48, 4, 8))).rejects.toMatchObject(invalid);
      await expect(writer.sink.write(randomImage(63, 48, 3, 8))).rejects.toMatchObject(invalid);
      await expect(writer.sink.write(randomImage(64, 49, 3, 8))).rejects.toMatchObject(invalid);
      await expect(writer.sink.write({ ...image, data: image.data.slice(1) })).rejects.toMatchObject(invalid);
      await expect(writer.finish()).rejects.toMatchObject(invalid);
      await expect(writer.finish()).rejects.toMatchObject({ code: 'MAMBAIR_DISPOSED' });
      expect(await readdir(folder)).toEqual([]);
    });
  });

  it('takes names that mean something to other programs', async () => {
    await inTemporaryFolder(async (folder) => {
      const names = [
        'a[page=1].png',
        'größe 写真.png',
        `${'long'.repeat(60)}.png`,
        'no-ending',
        '-o.png',
        "it's %d.png",
      ];
      for (const name of names) {
        await writeImage(join(folder, name), image, { format: 'png' });
      }
      expect((await readdir(folder)).toSorted()).toEqual(names.toSorted());
    });
  });
});

describe('checkWritable', () => {
  it('knows the sizes that formats can hold', () => {
    const unsupported = expect.objectContaining({ code: 'MAMBAIR_IMAGE_UNSUPPORTED' });
    for (const [format, side] of [
      ['jpeg', 65535],
      ['webp', 16383],
      ['avif', 16384],
    ] as const) {
      expect(checkWritable({ ...spec, format, width: side })).toEqual([]);
      expect(() => checkWritable({ ...spec, format, width: side + 1 })).toThrow(unsupported);
      expect(() => checkWritable({ ...spec, format, height: side + 1 })).toThrow(unsupported);
    }
    expect(checkWritable({ ...spec, width: 100_000, height: 100_000 })).toEqual([]);
  });

  it('says what will be lost', () => {
    const codes = (change: Partial<ImageSpec>): string[] =>
      checkWritable({ ...spec, ...change }).map(({ code }) => code);
    expect(codes({ depth: 16 })).toEqual([]);
    expect(codes({ depth: 16, format: 'tiff' })).toEqual([]);
    expect(codes({ depth: 16, format: 'jpeg' })).toEqual(['depth-reduced']);
    expect(codes({ channels: 4, format: 'jpeg', background: [0, 0, 0] })).toEqual(['alpha-flattened']);
  });

  it('refuses an encoder that needs more memory than there is', () => {
    const large: ImageSpec = { ...spec, width: 10_000, height: 10_000, memoryBytes: 2 ** 30 };
    expect(checkWritable(large)).toEqual([]);
    for (const format of ['webp', 'avif'] as const) {
      const tooMuch = expect.objectContaining({ code: 'MAMBAIR_OUT_OF_MEMORY' });
      expect(() => checkWritable({ ...large, format })).toThrow(tooMuch);
    }
  });

  it('refuses senseless options', () => {
    const invalid = expect.objectContaining({ code: 'MAMBAIR_OPTION_INVALID' });
    const changes: Partial<Record<keyof ImageSpec, unknown>>[] = [
      { width: 0 },
      { height: 1.5 },
      { channels: 5 },
      { depth: 12 },
      { format: 'gif' },
      { quality: 0 },
      { background: [0, 0, 256] },
    ];
    for (const change of changes) {
      expect(() => checkWritable({ ...spec, ...change } as ImageSpec)).toThrow(invalid);
    }
  });
});

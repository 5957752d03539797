import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** Every page that people read, by its path in the repository. */
const pages = ['.', 'docs', 'examples', 'models', 'core', 'cli', 'bench', 'test', 'training', 'api']
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => {
    const names = readdirSync(folder, { recursive: folder !== '.' }) as string[];
    return names.filter((name) => name.endsWith('.md')).map((name) => join(folder, name));
  });

/** The anchors of a page, as GitHub makes them from its headings. */
function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)) {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count += 1) {
      unique = `${anchor}-${count}`;
    }
    anchors.add(unique);
  }
  return anchors;
}

describe('documentation', () => {
  it.each(pages)('%s links to what is there', (page) => {
    const text = readFileSync(page, 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
    const broken: string[] = [];
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      const [path = '', anchor] = link.split('#');
      if (/^[a-z]+:/.test(path)) {
        continue;
      }
      const target = path === '' ? page : join(dirname(page), decodeURI(path));
      const isThere =
        existsSync(target) &&
        (anchor === undefined || !target.endsWith('.md') || anchorsOf(readFileSync(target, 'utf8')).has(anchor));
      if (!isThere) {
        broken.push(link);
      }
    }
    expect(broken).toEqual([]);
  });

  it('is reached from the README, page by page', () => {
    const readme = readFileSync('README.md', 'utf8');
    expect(pages.filter((page) => /^docs\/[^/]+$/.test(page) && !readme.includes(`](${page})`))).toEqual([]);
  });

  it.each(pages)('%s runs scripts and tools that are there', (page) => {
    const text = readFileSync(page, 'utf8');
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Readonly<Record<string, string>>;
    };
    const names = [...text.matchAll(/\bnpm run (?:-s )?([a-z][\w:-]*)/g)].map(([, name = '']) => name);
    const files = [...text.matchAll(/\bnode ((?:tools|bin)\/[\w.-]+)/g)].map(([, path = '']) => path);
    expect(names.filter((name) => !(name in scripts))).toEqual([]);
    expect(files.filter((path) => !existsSync(path))).toEqual([]);
  });

  it.each(['ARCHITECTURE.md', 'CONTRIBUTING.md'])('%s names files and folders that are there', (page) => {
    const paths = [
      ...readFileSync(page, 'utf8').matchAll(/`((?:core|cli|test|docs|tools|bench|api|training)\/[\w./-]*)`/g),
    ];
    expect(paths.map(([, path = '']) => path).filter((path) => !existsSync(path))).toEqual([]);
  });
});

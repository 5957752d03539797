// Writes the reference page of the public interface from API Extractor's model of it, in the order of core/index.ts and index.ts.

/** The page docs/api.md: `model` is the parsed `.api.json`, `door` the text of both. */
export function apiPage(model, door) {
  const symbols = new Map(model.members[0].members.map((symbol) => [symbol.name, symbol]));
  const sections = sectionsOf(door).filter(({ names }) => names.length > 0);
  const anchors = anchorsOf(sections.flatMap(({ names }) => names));
  const link = (name, text = name) => (anchors.has(name) ? `[\`${text}\`](#${anchors.get(name)})` : `\`${text}\``);
  const lines = [
    '# The library',
    '',
    '<!-- Written by `npm run api:update` from the docblocks of the source; not to be edited. -->',
    '',
    "Everything that `import … from 'mambair'` gives. Shapes are outermost first, sizes are pixels, and every error is a",
    `${link('MambairError')} whose code is named under *Throws*.`,
    '',
    ...sections.map(({ title, names }) => `- **${title}**: ${names.map((name) => link(name)).join(' · ')}`),
  ];
  for (const { title, names } of sections) {
    lines.push('', `## ${title}`);
    for (const name of names) {
      lines.push('', `### ${name}`, '', ...symbolLines(symbols.get(name), link));
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The headings of the page are the line comments of the door; what stands above the first is put last. */
function sectionsOf(door) {
  /** @type {{ title: string, names: string[] }[]} */
  const sections = [{ title: 'Errors and the rest', names: [] }];
  for (const [, title, names] of door.matchAll(/^\/\/ (.+)$|\{([^}]+)\}/gm)) {
    if (title !== undefined) {
      sections.push({ title: title[0].toUpperCase() + title.slice(1), names: [] });
    } else {
      const listed = names.split(',').map((name) => name.trim().replace(/^type /, ''));
      sections.at(-1).names.push(...listed.filter((name) => name !== ''));
    }
  }
  return [...sections.slice(1), sections[0]];
}

/** Anchors as GitHub gives them to headings: in small letters, the second of the same spelling numbered. */
function anchorsOf(names) {
  const anchors = new Map();
  for (const name of names) {
    const text = name.toLowerCase();
    anchors.set(name, [...anchors.values()].includes(text) ? `${text}-1` : text);
  }
  return anchors;
}

function symbolLines(symbol, link) {
  const members = symbol.members ?? [];
  const lines = ['```ts', signature(symbol), '```', ...docLines(symbol.docComment, link)];
  if (members.length > 0) {
    lines.push('');
    for (const member of members) {
      const [first = '', ...rest] = docLines(member.docComment, link).slice(1);
      lines.push(`- \`${inline(signature(member))}\`${first === '' ? '' : `  \n  ${first}`}`);
      lines.push(...rest.map((line) => (line === '' ? '' : `  ${line}`)));
    }
  }
  return lines;
}

/** The declaration without what a reader can do without. */
function signature({ excerptTokens }) {
  return excerptTokens
    .map(({ text }) => text)
    .join('')
    .replaceAll(/\bexport |\bdeclare |\breadonly (?=\w+\??:)/g, '')
    .replace(/;$/, '')
    .trim();
}

const inline = (text) => text.replaceAll(/\s+/g, ' ').replaceAll('`', '');

/** A docblock as Markdown: an empty line, then its text; each tag starts a paragraph. */
function docLines(comment, link) {
  const text = comment
    .replace(/^\/\*\*/, '')
    .replace(/\*\/\s*$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .replaceAll(/\{@link ([^}|]+?)(?:\s*\|\s*([^}]+))?\}/g, (_, name, shown) => link(name.trim(), shown?.trim()))
    .replaceAll(/@throws\s+/g, '\n*Throws* ')
    .replaceAll(/@returns\s+/g, '\n*Returns* ')
    .replaceAll(/@param (\w+) -\s+/g, '\n`$1`: ')
    .replaceAll(/\s*@default\s+(.+)/g, ' Default: $1.')
    .replaceAll(/@example\s*/g, '\n')
    .replaceAll(/@(public|packageDocumentation)\b/g, '')
    .replaceAll(/(?<![`$\w])(MAMBAIR_[A-Z_]+)\b(?!`)/g, '`$1`')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
  return text === '' ? [] : ['', ...text.split('\n')];
}

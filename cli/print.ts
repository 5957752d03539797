import type { TextStream } from './command.js';

/** Writes one object as one line: the form of everything that `--json` prints. */
export function printJson(stream: TextStream, value: Readonly<Record<string, unknown>>): void {
  stream.write(`${JSON.stringify(value)}\n`);
}

/** Writes rows as aligned columns; a column of nothing but numbers, its head aside, is set to the right. */
export function printTable(stream: TextStream, rows: readonly (readonly string[])[]): void {
  const columnCount = Math.max(...rows.map((row) => row.length));
  const columns = Array.from({ length: columnCount }, (_, column) => {
    const cells = rows.map((row) => row[column] ?? '');
    const isNumeric = cells.length > 1 && cells.slice(1).every((cell) => /^[-+]?[\d.]+%?$|^$/.test(cell));
    return { width: Math.max(...cells.map((cell) => cell.length)), isNumeric };
  });
  for (const row of rows) {
    const cells = columns.map(({ width, isNumeric }, column) => {
      const cell = row[column] ?? '';
      return isNumeric ? cell.padStart(width) : cell.padEnd(width);
    });
    stream.write(`${cells.join('  ').trimEnd()}\n`);
  }
}

/** `12.3 MiB`: three figures. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

import { commonOptions, type Command } from './command.js';
import type { Option, OptionTable } from './options.js';

/** The text of `mambair --help`. */
export function generalHelp(commands: readonly Command[]): string {
  const rows = commands.map((command): [string, string] => [command.name, command.summary]);
  return [
    'mambair restores photos with the MambaIR family of networks.',
    '',
    'Usage: mambair <command> [arguments]',
    '',
    'Commands:',
    ...columns(rows),
    '',
    'mambair <command> --help tells more about one. For example:',
    '  mambair restore photo.jpg -o photo-x2.png',
    '',
  ].join('\n');
}

/** The text of `mambair <command> --help`. */
export function commandHelp(command: Command): string {
  return [
    `mambair ${command.name}: ${command.summary}`,
    '',
    `Usage: mambair ${command.name} ${command.usage}`.trimEnd(),
    '',
    'Options:',
    ...columns(optionRows({ ...command.options, ...commonOptions })),
    '',
    ...(command.notes === undefined ? [] : [command.notes, '']),
  ].join('\n');
}

function optionRows(options: OptionTable): [string, string][] {
  return Object.entries(options).map(([name, option]: [string, Option<unknown>]) => {
    const short = option.short === undefined ? '' : `-${option.short}, `;
    const placeholder = option.placeholder === undefined ? '' : ` ${option.placeholder}`;
    return [`${short}--${name}${placeholder}${option.repeatable ? ' …' : ''}`, option.help];
  });
}

/** Two columns; a left cell that is too wide gets a line of its own. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(30, Math.max(...rows.map(([left]) => left.length)));
  return rows.map(([left, right]) => {
    const wide = left.length > width ? `${left}\n  ${' '.repeat(width)}` : left.padEnd(width);
    return `  ${wide}  ${right.replaceAll('\n', `\n${' '.repeat(width + 4)}`)}`;
  });
}

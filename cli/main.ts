import { packageVersion } from '../core/index.js';
import type { Command, CommandContext } from './command.js';
import { commands, noSuchCommand } from './commands.js';
import { exitCodeFor, exitCodes, type ExitCode } from './exit-codes.js';
import { errorObject, errorText } from './failures.js';
import { commandHelp, generalHelp } from './help.js';
import { usageError } from './options.js';
import { printJson } from './print.js';

/**
 * Runs one command line (the words after `mambair`) and says how it ended. Never throws: errors are one line on
 * `stderr`, with the stack only when `MAMBAIR_DEBUG=1`.
 */
export async function main(args: readonly string[], context: CommandContext): Promise<number> {
  try {
    return await dispatch(args, context);
  } catch (error) {
    if (args.includes('--json')) {
      printJson(context.stdout, { event: 'failure', ...errorObject(error) });
    }
    context.stderr.write(`mambair: ${errorText(error, context)}\n`);
    return context.signal.aborted ? exitCodes.interrupted : exitCodeFor(error);
  }
}

async function dispatch(args: readonly string[], context: CommandContext): Promise<number> {
  const optionsEnd = args.indexOf('--');
  const switches = optionsEnd < 0 ? args : args.slice(0, optionsEnd);
  const wantsHelp = switches.includes('--help') || switches.includes('-h');
  const command = findCommand(args);
  if (command?.takesAllWords === true && !/^--(help|version)$/.test(args[1] ?? '')) {
    return command.run(args.slice(1), context);
  }
  if (switches.includes('--version') || (command === undefined && switches.includes('-V'))) {
    context.stdout.write(`mambair ${packageVersion()}\n`);
    return exitCodes.ok;
  }
  if (command === undefined) {
    return withoutCommand(args, wantsHelp, context);
  }
  if (wantsHelp) {
    context.stdout.write(commandHelp(command));
    return exitCodes.ok;
  }
  return command.run(args.slice(command.name.split(' ').length), context);
}

function findCommand(args: readonly string[]): Command | undefined {
  return commands.find((command) => command.name.split(' ').every((word, index) => args[index] === word));
}

function withoutCommand(args: readonly string[], wantsHelp: boolean, context: CommandContext): ExitCode {
  const words = args.filter((word) => !word.startsWith('-'));
  const group = commands.filter((command) => command.name.startsWith(`${words[0]} `));
  const [unknown] = args;
  if (!wantsHelp && unknown?.startsWith('-') === true) {
    throw usageError(`there is no option ${unknown} without a command; see: mambair --help`);
  }
  if (wantsHelp || unknown === 'help' || words.length === 0) {
    context.stdout.write(generalHelp(group.length > 0 ? group : commands));
    return args.length === 0 ? exitCodes.usage : exitCodes.ok;
  }
  throw usageError(noSuchCommand(words));
}

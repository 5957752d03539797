import { nearestName } from '../core/index.js';
import type { Command } from './command.js';
import { bench } from './commands/bench.js';
import { bisect } from './commands/bisect.js';
import { doctor } from './commands/doctor.js';
import { evaluate } from './commands/eval.js';
import { ffmpeg } from './commands/ffmpeg.js';
import { modelsConvert } from './commands/models-convert.js';
import { modelsInfo } from './commands/models-info.js';
import { modelsList } from './commands/models-list.js';
import { modelsPull } from './commands/models-pull.js';
import { pipe } from './commands/pipe.js';
import { restore } from './commands/restore.js';
import { tensor } from './commands/tensor.js';
import { video } from './commands/video.js';

/** Every command, in the order of the help. A new one is a file and a line here. */
export const commands: readonly Command[] = [
  restore,
  ffmpeg,
  video,
  pipe,
  modelsList,
  modelsInfo,
  modelsConvert,
  modelsPull,
  tensor,
  evaluate,
  bench,
  bisect,
  doctor,
];

/** What to say when no command fits some words. */
export function noSuchCommand(words: readonly string[]): string {
  const written = words.slice(0, 2).join(' ');
  const names = commands.map((command) => command.name);
  const group = names.filter((name) => name.startsWith(`${words[0]} `));
  const nearest = nearestName(written, names) ?? nearestName(words[0] ?? '', names);
  if (group.length > 0 && nearest === undefined) {
    return `"${words[0]}" needs one more word: ${group.join(', ')}`;
  }
  const hint = nearest === undefined ? 'see: mambair --help' : `did you mean: mambair ${nearest}?`;
  return `there is no command "${group.length > 0 ? written : (words[0] ?? '')}"; ${hint}`;
}

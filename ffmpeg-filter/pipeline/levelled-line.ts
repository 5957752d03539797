/** A line of ffmpeg's log. */
export interface LevelledLine {
  /** As ffmpeg numbers it, 16 for errors, 24 for warnings, 32 for information; undefined where the line does not tell. */
  readonly level: number | undefined;
  /** The line without its level. */
  readonly text: string;
}

/** ffmpeg's names of its log levels, and their numbers. */
export const logLevels: Readonly<Record<string, number>> = {
  quiet: -8,
  panic: 0,
  fatal: 8,
  error: 16,
  warning: 24,
  info: 32,
  verbose: 40,
  debug: 48,
  trace: 56,
};

/** Reads a line as ffmpeg writes it with the flag `level`, as in `-loglevel level+verbose`; other lines stay as they are. */
export function readLevelled(line: string): LevelledLine {
  const [whole = '', from = '', name = ''] =
    /^((?:\[[^\]]* @ [^\]]*\] )*)\[(panic|fatal|error|warning|info|verbose|debug|trace)\] ?/.exec(line) ?? [];
  return { level: logLevels[name], text: whole === '' ? line : from + line.slice(whole.length) };
}

import { describe, expect, it } from '@jest/globals';
import { formatSeconds, ProgressLine, remainingSeconds } from './progress.js';

function line(isTTY: boolean) {
  let now = 0;
  const written: string[] = [];
  const progress = new ProgressLine({ isTTY, columns: 60, write: (text) => written.push(text) }, () => now);
  return { written, progress, at: (seconds: number) => (now = seconds) };
}

describe('the progress line', () => {
  it('is redrawn in place on a terminal, at most ten times a second, within the width', () => {
    const { written, progress, at } = line(true);
    for (let step = 0; step <= 100; step += 1) {
      at(step / 50);
      progress.update({ done: step, total: 100, label: 'a very long file name that goes on and on.png' });
    }
    progress.clear();
    expect(written.length).toBeLessThanOrEqual(22);
    expect(written.every((text) => text.startsWith('\r\u001B[K') && text.length <= 59 + 4)).toBe(true);
    expect(written.at(-1)).toBe('\r\u001B[K');
  });

  it('is a plain line every ten seconds elsewhere', () => {
    const { written, progress, at } = line(false);
    for (let second = 0; second <= 35; second += 1) {
      at(second);
      progress.update({ done: second, total: 70, label: 'a.png' });
    }
    progress.clear();
    expect(written).toHaveLength(3);
    expect(written[0]).toBe('a.png: 14 %, about 1 min 00 s left\n');
  });

  it('promises nothing before there is something to go by', () => {
    expect(remainingSeconds(1, 0.5)).toBeUndefined();
    expect(remainingSeconds(100, 0.01)).toBeUndefined();
    expect(remainingSeconds(30, 0.25)).toBe(90);
  });

  it.each([
    [0.2, '1 s'],
    [59.5, '1 min 00 s'],
    [200, '3 min 20 s'],
    [7500, '2 h 05 min'],
  ])('writes %d seconds as %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });
});

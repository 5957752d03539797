"""Draw the validation curve of one or more runs as SVG: python3 -m training.plot OUT.svg RUN [RUN ...]"""
import argparse
import json
import math
from pathlib import Path

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 400, 56, 40, 16
COLOURS = ('#1768ac', '#c1440e', '#3a7d44', '#7b2d8b')


def curve(run):
    """[(hours, mean PSNR)] of a run's log."""
    with open(Path(run) / 'log.jsonl') as file:
        entries = [json.loads(line) for line in file]
    return [(e['seconds'] / 3600, e['psnr']['mean']) for e in entries if 'psnr' in e]


def ticks(low, high, wanted=6):
    """Round numbers that cover a range."""
    step = 10 ** math.floor(math.log10((high - low) / wanted))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (step * m) <= wanted)
    return [step * k for k in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)]


def svg(runs):
    """runs: {name: curve}. The scale leaves out what came before a twentieth of the time."""
    end = max(t for c in runs.values() for t, _ in c)
    high = max(v for c in runs.values() for _, v in c)
    low = min(v for c in runs.values() for t, v in c if t >= min(end / 20, c[-1][0]))
    low, high = low - 0.05 * (high - low), high + 0.05 * (high - low) + 1e-6

    def place(t, v):
        up = (v - low) / (high - low)
        return LEFT + t / end * (WIDTH - LEFT - 12), HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - TOP)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
             f'font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>']
    for v in ticks(low, high):
        y = place(0, v)[1]
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 12}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{v:.4g}</text>')
    for t in ticks(0, end):
        x = place(t, low)[0]
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{t:.3g}</text>')
    parts.append(f'<text x="{WIDTH - 12}" y="{HEIGHT - 6}" text-anchor="end">hours</text>'
                 f'<text x="{LEFT + 6}" y="{TOP + 4}">PSNR, dB</text>')
    for (name, points), colour in zip(runs.items(), COLOURS):
        path = 'L'.join('{:.1f} {:.1f}'.format(*place(t, max(v, low))) for t, v in points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = place(*points[-1])
        parts.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="end" fill="{colour}">{name} '
                     f'{points[-1][1]:.2f}</text>')
    return '\n'.join(parts) + '\n</svg>\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out')
    parser.add_argument('runs', nargs='+')
    args = parser.parse_args()
    Path(args.out).write_text(svg({Path(r).name: curve(r) for r in args.runs}))


if __name__ == '__main__':
    main()

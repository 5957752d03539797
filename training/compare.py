"""Compare pictures by PSNR and by a perceptual measure, and make degraded test sets for that.

    python3 -m training.compare make CONFIG TESTSETS SET OUT
writes OUT/HR, OUT/LR (degraded as in the training of CONFIG, seed = number of the picture) and OUT/bicubic.

    python3 -m training.compare score SCALE HR FOLDER [FOLDER ...]
prints the means over the pictures of each folder against those of the same name in HR: PSNR of luma (border of SCALE
pixels left out) and GMSD, the gradient magnitude similarity deviation (Xue and others, 2014; lower is better), which
agrees with what people see much better than PSNR does.
"""
import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from .degrade import imresize
from .evaluate import psnr
from .tasks import STUDIO_LUMA, make_task, pairs_of, read


def gmsd(a, b):
    """Of two uint8 pictures [H, W, 3]: luma, halved by averaging, Prewitt gradients, c = 170, borders left out."""
    gradients = []
    for image in (a, b):
        y = image.astype(np.float64) @ STUDIO_LUMA
        y = y[:y.shape[0] // 2 * 2, :y.shape[1] // 2 * 2]
        y = (y[::2, ::2] + y[1::2, ::2] + y[::2, 1::2] + y[1::2, 1::2]) / 4
        rows, columns = (y[:-2] + y[1:-1] + y[2:]) / 3, (y[:, :-2] + y[:, 1:-1] + y[:, 2:]) / 3
        gradients.append(np.hypot(rows[:, 2:] - rows[:, :-2], columns[2:] - columns[:-2]))
    x, z = gradients
    return float(np.std((2 * x * z + 170) / (x * x + z * z + 170)))


def make(config, testsets, name, out):
    with open(config) as file:
        task = make_task(json.load(file))
    for folder in ('HR', 'LR', 'bicubic'):
        (Path(out) / folder).mkdir(parents=True, exist_ok=True)
    for picture, source, target in pairs_of(task, testsets, name):
        for folder, image in (('HR', target), ('LR', source), ('bicubic', imresize(source, task.scale))):
            Image.fromarray(image).save(Path(out) / folder / f'{picture}.png')


def score(scale, hr, folder):
    """(mean PSNR of luma, mean GMSD) of the pictures of a folder."""
    values = []
    for path in sorted(Path(folder).glob('*.png')):
        restored, true = read(path), read(Path(hr) / path.name)
        values.append((psnr(restored, true, scale, STUDIO_LUMA), gmsd(restored, true)))
    return np.mean(values, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True)
    making, scoring = commands.add_parser('make'), commands.add_parser('score')
    for word in ('config', 'testsets', 'set', 'out'):
        making.add_argument(word)
    scoring.add_argument('scale', type=int)
    scoring.add_argument('hr')
    scoring.add_argument('folders', nargs='+')
    args = parser.parse_args()
    if args.command == 'make':
        make(args.config, args.testsets, args.set, args.out)
        return
    for folder in args.folders:
        decibels, deviation = score(args.scale, args.hr, folder)
        print(f'{folder:40} PSNR-Y {decibels:.2f} dB   GMSD {deviation:.4f}')


if __name__ == '__main__':
    main()

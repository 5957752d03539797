"""Before and after, as a picture: python3 -m training.crops CONFIG TESTSETS OUT.webp MODEL [MODEL ...]

Two details of Kodak pictures (free to use), enlarged twofold; from left to right: the input (for super-resolution its
bicubic enlargement), the result of every model through the engine, the original. MODEL is what `mambair restore --model` takes.
"""
import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from .degrade import imresize, jpeg
from .measure import mambair
from .tasks import make_task, pairs_of, read

HEIGHT, WIDTH, GAP = 104, 136, 4
PLACES = {'kodim23': (176, 120), 'kodim19': (462, 20)}  # top left corners in the original


def eight_bit(image):
    return image if image.dtype == np.uint8 else np.clip(np.rint(image * 255), 0, 255).astype(np.uint8)


def column(image):
    """The details of a {picture: pixels}, one below the other, twice as large."""
    parts = []
    for name, (y, x) in PLACES.items():
        detail = image[name][y:y + HEIGHT, x:x + WIDTH]
        parts += [detail.repeat(2, 0).repeat(2, 1), np.full((GAP, 2 * WIDTH, 3), 255, np.uint8)]
    return np.concatenate(parts[:-1])


def strip(config, testsets, models):
    task = make_task(config)
    pairs = {name: pair for name, *pair in pairs_of(task, testsets, 'Kodak8') if name in PLACES}
    if config['task'] == 'jpeg':  # measured in grey, but made for colour
        originals = {name: read(Path(testsets) / 'Kodak8' / f'{name}.png') for name in PLACES}
        pairs = {name: (jpeg(image, 15, 2), image) for name, image in originals.items()}
    inputs = {name: eight_bit(source) for name, (source, _) in pairs.items()}
    columns = [column({k: v if task.scale == 1 else imresize(v, task.scale) for k, v in inputs.items()})]
    purpose = ('--scale', task.scale) if task.scale > 1 else ('--task', config['task'])
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / 'in').mkdir()
        for name, image in inputs.items():
            Image.fromarray(image).save(f'{folder}/in/{name}.png')
        for number, model in enumerate(models):
            out = Path(folder) / str(number)
            mambair('restore', f'{folder}/in', '-o', out, '-m', model, *purpose, '--quiet')
            columns.append(column({name: read(out / f'{name}.png') for name in inputs}))
    columns.append(column({name: target for name, (_, target) in pairs.items()}))
    gap = np.full((columns[0].shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([part for each in columns for part in (each, gap)][:-1], 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('testsets')
    parser.add_argument('out')
    parser.add_argument('models', nargs='+')
    args = parser.parse_args()
    with open(args.config) as file:
        picture = strip(json.load(file), args.testsets, args.models)
    Image.fromarray(picture).save(args.out, quality=86, method=6)


if __name__ == '__main__':
    main()

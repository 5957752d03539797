"""Pack the training pictures into one file: python3 -m training.pack PICTURES OUT [--megabytes N] [--without NAME ...]

PICTURES holds images/ and manifest.json (file, license, source). Without a limit every file goes in as it is. With
one, the tiles with the steepest detail go in, re-encoded without loss, until the limit is reached. The licences of
what went in travel in the metadata.
"""
import argparse
import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from . import safetensors

TILE = 192
REFUSED = ('-SA', '-NC', 'ShareAlike', 'NonCommercial')


def encoded(image):
    data = io.BytesIO()
    Image.fromarray(image).save(data, 'WEBP', lossless=True, method=2)
    return np.frombuffer(data.getvalue(), np.uint8)


def steepness(image):
    grey = image.astype(np.int16)[..., 1]
    return np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean()


def steepest_tiles(folder, entries, limit):
    """(name, bytes) of the tiles with most detail, best first, within a limit of bytes."""
    tiles = []
    for entry in entries:
        image = np.asarray(Image.open(folder / entry['file']).convert('RGB'))
        for y in range(0, image.shape[0] - TILE + 1, TILE):
            for x in range(0, image.shape[1] - TILE + 1, TILE):
                tiles.append((steepness(image[y:y + TILE, x:x + TILE]), entry['file'], y, x))
    for _, name, y, x in sorted(tiles, reverse=True):
        image = np.asarray(Image.open(folder / name).convert('RGB'))[y:y + TILE, x:x + TILE]
        data = encoded(image)
        limit -= len(data)
        if limit < 0:
            return
        yield f'{name}@{y},{x}', data


def pack(folder, out, megabytes=None, without=()):
    folder = Path(folder)
    entries = json.loads((folder / 'manifest.json').read_text())
    unknown = set(without) - {Path(e['file']).name for e in entries}
    if unknown:
        raise SystemExit(f'--without: no such picture in the manifest: {", ".join(sorted(unknown))}')
    entries = [e for e in entries if Path(e['file']).name not in without]
    for entry in entries:
        if any(word.lower() in entry['license'].lower() for word in REFUSED):
            raise SystemExit(f'{entry["file"]}: licence {entry["license"]} is not usable for models that are shipped')
    if megabytes:
        items = dict(steepest_tiles(folder, entries, megabytes * 1e6))
    else:
        items = {e['file']: np.frombuffer((folder / e['file']).read_bytes(), np.uint8) for e in entries}
    inside = {name.split('@')[0] for name in items}
    used = [{k: e[k] for k in ('file', 'license', 'source')} for e in entries if e['file'] in inside]
    safetensors.save(out, items, {'pictures': json.dumps(used)})
    print(f'{len(items)} items from {len(used)} pictures;', dict(Counter(e['license'] for e in used)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('pictures')
    parser.add_argument('out')
    parser.add_argument('--megabytes', type=float)
    parser.add_argument('--without', nargs='+', default=[], help='file names to leave out, such as pictures of a demo')
    args = parser.parse_args()
    pack(args.pictures, args.out, args.megabytes, args.without)


if __name__ == '__main__':
    main()

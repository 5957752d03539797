"""Outputs of a large network as targets for small ones: python3 -m training.teach PACK TEACHER OUT --megapixels N

TEACHER is a checkpoint with the official keys (.pth or .safetensors) for super-resolution. Tiles of the bicubic
reductions are drawn as patches are (of three random ones the steepest), each once, until N million input pixels are
done. OUT then holds for every tile its input, the true picture and the teacher's output, all uint8; `"taught": OUT` in
a configuration (or --taught) trains on them. The teacher's weights go nowhere; its outputs have far less detail that
nobody could predict than the true pictures, so the gradients of a small batch are less noisy.
"""
import argparse
import io
import time

import numpy as np
import torch
from PIL import Image

from . import safetensors
from .data import to_tensor
from .evaluate import restore
from .model import Routing, load_model
from .tasks import SuperResolution
from .train import keep_memory

TILE, MARGIN = 128, 8  # input pixels; at the rim of a tile the teacher does not see enough


def teacher_of(path):
    """The network of a checkpoint, official .pth files included."""
    if path.endswith('.safetensors'):
        state = {k: torch.from_numpy(v.astype(np.float32)) for k, v in safetensors.load(path)[0].items()}
    else:
        state = torch.load(path, map_location='cpu')
        state = state.get('params', state)
    return load_model(state)


def tiles_of(pack, scale, rng):
    """Yields (name, input, target): all tiles of a pack, those with steep detail rather earlier."""
    items, _ = safetensors.load(pack)
    pictures, places = {}, []
    for name in sorted(items):
        hr = np.asarray(Image.open(io.BytesIO(items[name].tobytes())).convert('RGB'))
        target, source = pictures[name] = SuperResolution(scale).prepare(hr)
        for y in range(0, source.shape[0] - TILE // 2, TILE):
            for x in range(0, source.shape[1] - TILE // 2, TILE):
                green = source[y:y + TILE, x:x + TILE, 1].astype(np.int16)
                detail = np.abs(np.diff(green, axis=0)).mean() + np.abs(np.diff(green, axis=1)).mean()
                places.append((detail, name, y, x))
    while places:
        chosen = max(rng.integers(len(places), size=3), key=lambda i: places[i][0])
        _, name, y, x = places.pop(int(chosen))
        target, source = pictures[name]
        s, n = scale, TILE
        yield f'{name}@{y},{x}', source[y:y + n, x:x + n], target[y * s:(y + n) * s, x * s:(x + n) * s]


def inner(picture, scale):
    m = MARGIN * scale
    return np.ascontiguousarray(picture[m:-m, m:-m])


def teach(pack, teacher, out, megapixels, seed=1):
    net = teacher_of(teacher)
    scale, rng, items, done, saved = net.cfg['upscale'], np.random.default_rng(seed), {}, 0, time.time()
    generator = torch.Generator().manual_seed(seed)
    for name, source, target in tiles_of(pack, scale, rng):
        taught = restore(net, source, Routing('random', generator=generator))
        items[f'{name}/input'] = inner(source, 1)
        items[f'{name}/target'], items[f'{name}/taught'] = inner(target, scale), inner(taught, scale)
        done += source.shape[0] * source.shape[1]
        if done >= megapixels * 1e6 or time.time() - saved > 120:
            safetensors.save(out, items, {'scale': str(scale)})
            saved = time.time()
        if done >= megapixels * 1e6:
            break
    print(f'{len(items) // 3} tiles, {done / 1e6:.1f} million input pixels')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('pack')
    parser.add_argument('teacher')
    parser.add_argument('out')
    parser.add_argument('--megapixels', type=float, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    keep_memory()
    teach(args.pack, args.teacher, args.out, args.megapixels)


if __name__ == '__main__':
    main()

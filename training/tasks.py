"""What a network is trained for: how inputs are made, and what is measured on the test sets.

A task has `scale`; `prepare(hr)` -> (target picture, input picture or None if inputs are made patch by patch); in the
latter case `margin`, the pixels a region has more than its target, and `degrade(region, rng)` -> (input, target);
`examine(path, number[, level])` -> (input, target) of a test picture (level: noise or quality); `watched`, the set measured during training; `border` and
`weights` (of R, G, B; None: all three) say how PSNR is taken. Pictures are uint8 [H, W, 3]; inputs may be float32 in
0..1.
"""
from pathlib import Path

import numpy as np
from PIL import Image

from . import degrade

STUDIO_LUMA = np.array([65.481, 128.553, 24.966]) / 255
GREY = np.array([0.299, 0.587, 0.114])


SETS = {'Set5': 'Set5/HR/*.png', 'Set14': 'Set14/*.png', 'CBSD68': 'CBSD68/*.png', 'Kodak8': 'Kodak8/*.png',
        'classic5': 'classic5/*.png'}


def pairs_of(task, testsets, name, level=None):
    """Yields (picture, input, target) of a test set; 'CBSD68/8' is every eighth picture. level: see `examine`."""
    name, _, every = name.partition('/')
    extra = () if level is None else (level,)
    for number, path in enumerate(sorted(Path(testsets).glob(SETS[name]))[::int(every or 1)]):
        yield path.stem, *task.examine(path, number, *extra)


def read(path):
    return np.asarray(Image.open(path).convert('RGB'))


class SuperResolution:
    """MATLAB-style bicubic by a whole factor, computed once per picture."""
    watched, weights = 'Set5', STUDIO_LUMA

    def __init__(self, scale):
        self.scale = self.border = scale

    def prepare(self, hr):
        hr = degrade.crop_to_multiple(hr, self.scale)
        return hr, degrade.imresize(hr, 1 / self.scale)

    def examine(self, path, number):
        hr, lr = self.prepare(read(path))
        return lr, hr


class PerPatch:
    """Tasks whose degradation is drawn afresh for every patch."""
    scale, margin, border = 1, 0, 0

    def prepare(self, hr):
        return hr, None


class Denoise(PerPatch):
    """Blind Gaussian noise, sigma uniform from 0 to a limit."""
    watched, weights = 'CBSD68/8', None

    def __init__(self, strongest=50):
        self.strongest = strongest

    def degrade(self, region, rng):
        return degrade.add_noise(region, rng.uniform(0, self.strongest), rng), region

    def examine(self, path, number, sigma=25):
        hr = read(path)
        return degrade.add_noise(hr, sigma, np.random.default_rng(number)), hr


class Jpeg(PerPatch):
    """Blind JPEG, 4:2:0 and 4:4:4. Three of four patches keep the grid of blocks where files have it, at multiples of
    8 (the windows of attention lie there, too); the others have been cropped, as real pictures have."""
    watched, margin, weights = 'classic5', 16, GREY

    def __init__(self, quality=(10, 95)):
        self.quality = quality

    def degrade(self, region, rng):
        low, high = self.quality
        quality = round(low + (high - low) * rng.random() ** 2.5)  # low ones more often: there is more to learn
        if rng.random() < 0.25:                                    # grey pictures have files without colour
            region = region @ GREY
            region = np.repeat(np.rint(region).astype(np.uint8)[..., None], 3, 2)
        lq = degrade.jpeg(region, quality, 2 * int(rng.integers(2)))
        y, x = (0, 0) if rng.random() < 0.75 else rng.integers(0, self.margin, 2)
        h, w = (n - self.margin for n in region.shape[:2])
        return lq[y:y + h, x:x + w], region[y:y + h, x:x + w]

    def examine(self, path, number, quality=10):
        grey = np.asarray(Image.open(path).convert('L'))
        return tuple(np.repeat(x[..., None], 3, 2) for x in (degrade.jpeg(grey, quality, 0), grey))


class Real(PerPatch):
    """Photographs and frames from the wild: blur, resize, noise and compression mixed at random; a share of them clean."""
    watched, weights = 'Set14', STUDIO_LUMA

    def __init__(self, scale, clean=0):
        self.scale = self.border = scale
        self.clean = clean

    def degrade(self, region, rng):
        return degrade.real_world(region, self.scale, rng, self.clean), region

    def examine(self, path, number):
        hr = degrade.crop_to_multiple(read(path), self.scale)
        return self.degrade(hr, np.random.default_rng(number))


TASKS = {'sr': SuperResolution, 'denoise': Denoise, 'jpeg': Jpeg, 'real': Real}


def make_task(config):
    return TASKS[config['task']](**config.get('task_options', {}))

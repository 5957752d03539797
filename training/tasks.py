"""What a network is trained for: how inputs are made, and what is measured on the test sets."""
from pathlib import Path

import numpy as np
from PIL import Image

from . import degrade


class SuperResolution:
    """MATLAB-style bicubic by a whole factor, computed once per picture."""

    def __init__(self, scale):
        self.scale = scale

    def prepare(self, hr):
        hr = degrade.crop_to_multiple(hr, self.scale)
        return hr, degrade.imresize(hr, 1 / self.scale)

    def validation(self, testsets):
        for path in sorted((Path(testsets) / 'Set5' / 'HR').glob('*.png')):
            hr, lr = self.prepare(read(path))
            yield path.stem, lr, hr
    measure = dict(border='scale', luma=True)


class PerPatch:
    """Tasks whose degradation is drawn afresh for every patch."""
    scale = 1

    def prepare(self, hr):
        return hr, None


class Denoise(PerPatch):
    """Blind Gaussian noise, sigma uniform up to a limit."""

    def __init__(self, strongest=50):
        self.strongest = strongest

    def degrade(self, hr, rng):
        return degrade.add_noise(hr, rng.uniform(0, self.strongest), rng)

    def validation(self, testsets):
        for i, path in enumerate(sorted((Path(testsets) / 'CBSD68').glob('*.png'))[::8]):
            hr = read(path)
            yield path.stem, degrade.add_noise(hr, 25, np.random.default_rng(i)), hr
    measure = dict(border=0, luma=False)


class Jpeg(PerPatch):
    """Blind JPEG, 4:2:0 and 4:4:4. The patch is cut at a random offset to the 8x8 grid: files are cropped, too."""

    def __init__(self, quality=(10, 95)):
        self.quality = quality

    def degrade(self, hr, rng):
        return degrade.jpeg(hr, rng.integers(self.quality[0], self.quality[1] + 1), 2 * rng.integers(2))

    def validation(self, testsets):
        for path in sorted((Path(testsets) / 'classic5').glob('*.*')):
            grey = Image.open(path).convert('L')
            lq = degrade.jpeg(np.asarray(grey), 10, 0)
            yield path.stem, np.repeat(lq[..., None], 3, 2), np.asarray(grey.convert('RGB'))
    measure = dict(border=0, luma=True)


class Real(PerPatch):
    """Photographs and frames from the wild: blur, resize, noise and compression mixed at random."""

    def __init__(self, scale):
        self.scale = scale

    def degrade(self, hr, rng):
        return degrade.real_world(hr, self.scale, rng)

    def validation(self, testsets):
        for i, path in enumerate(sorted((Path(testsets) / 'Set14').rglob('HR/*.png'))):
            hr = degrade.crop_to_multiple(read(path), self.scale)
            yield path.stem, self.degrade(hr, np.random.default_rng(i)), hr
    measure = dict(border='scale', luma=True)


TASKS = {'sr': SuperResolution, 'denoise': Denoise, 'jpeg': Jpeg, 'real': Real}


def make_task(config):
    return TASKS[config['task']](**config.get('task_options', {}))


def read(path):
    return np.asarray(Image.open(path).convert('RGB'))

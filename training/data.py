"""Training patches from a pack. Every batch is a pure function of (seed, step): a run can stop and go on anywhere."""
import io

import numpy as np
import torch
from PIL import Image

from . import safetensors


class Patches:
    """Random patches: of `candidates` random places the one with the steepest detail, flipped and turned."""

    def __init__(self, pack, task, patch, candidates, seed, taught=None):
        """taught: a file of training.teach, whose tiles take the place of the pack."""
        self.task, self.patch, self.candidates, self.seed = task, patch, candidates, seed
        if taught:
            items, _ = safetensors.load(taught)
            names = sorted({name.rsplit('/', 1)[0] for name in items})
            self.pictures = [tuple(items[f'{name}/{part}'] for part in ('target', 'input', 'taught')) for name in names]
        else:
            items, _ = safetensors.load(pack)
            hrs = (np.asarray(Image.open(io.BytesIO(items[name].tobytes())).convert('RGB')) for name in sorted(items))
            self.pictures = [task.prepare(hr) for hr in hrs]
        sizes = [self.base(p).shape[0] * self.base(p).shape[1] for p in self.pictures]
        self.edges = np.cumsum(sizes) / np.sum(sizes)

    @staticmethod
    def base(picture):
        """The array in which places are drawn and detail is measured: the input where it is known, else the target."""
        hr, lr, *_ = picture
        return hr if lr is None else lr

    def place(self, rng):
        """(picture number, y, x) of a patch in the base array, and its side there."""
        size = self.patch
        if self.pictures[0][1] is None:
            size = size * self.task.scale + self.task.margin
        best = None
        for _ in range(self.candidates):
            number = int(np.searchsorted(self.edges, rng.random(), side='right'))
            base = self.base(self.pictures[min(number, len(self.pictures) - 1)])
            y, x = rng.integers(base.shape[0] - size + 1), rng.integers(base.shape[1] - size + 1)
            green = base[y:y + size, x:x + size, 1].astype(np.int16)
            detail = np.abs(np.diff(green, axis=0)).sum() + np.abs(np.diff(green, axis=1)).sum()
            if best is None or detail > best[0]:
                best = detail, number, y, x
        return *best[1:], size

    def pair(self, rng):
        """(input, target[, what the teacher made]) of one patch; uint8, or float32 in 0..1 where noise is not clipped."""
        number, y, x, size = self.place(rng)
        hr, lr, *taught = self.pictures[number]
        n, s = self.patch, self.task.scale
        if lr is None:
            sides = self.task.degrade(np.ascontiguousarray(hr[y:y + size, x:x + size]), rng)
        else:
            sides = lr[y:y + n, x:x + n], *(p[y * s:(y + n) * s, x * s:(x + n) * s] for p in (hr, *taught))
        turns, flip = rng.integers(4), rng.integers(2)
        sides = [np.rot90(side, turns) for side in sides]
        return [side[:, ::-1] for side in sides] if flip else sides

    def batch(self, step, size, device='cpu'):
        """(input, target[, what the teacher made]) tensors [B, 3, H, W] in 0..1."""
        rng = np.random.Generator(np.random.Philox(key=[self.seed, step]))
        pairs = [self.pair(rng) for _ in range(size)]
        return [to_tensor(np.stack(side), device) for side in zip(*pairs)]


def to_tensor(images, device='cpu'):
    """[B, H, W, C] uint8 or float -> [B, C, H, W] float32, channels last."""
    x = torch.from_numpy(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2)
    return x.float() / 255 if x.dtype == torch.uint8 else x

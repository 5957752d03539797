"""What PyTorch computes with a file of weights, for the tests of the engine: python3 -m training.golden WEIGHTS OUT

OUT holds `input` [1, 3, 12, 20] (a gradient, an edge and noise) and `output`, in float64 by the plain operations,
with seeded routing (seed 5).
"""
import sys

import numpy as np
import torch

from . import safetensors
from .evaluate import network_of
from .model import Routing

SEED = 5


def golden_input():
    rng = np.random.default_rng(SEED)
    y, x = np.mgrid[:12, :20]
    picture = np.stack([x / 40 + 0.2, y / 24 + 0.1, (x + y > 14) * 0.6 + 0.2]) + rng.uniform(-0.1, 0.1, (3, 12, 20))
    return np.clip(picture, 0, 1).astype(np.float32)[None]


def golden(weights, out):
    picture = golden_input()
    net = network_of(weights).double()
    with torch.no_grad():
        output = net(torch.from_numpy(picture).double(), Routing('seeded', seed=SEED))
    safetensors.save(out, {'input': picture, 'output': output.numpy().astype(np.float32)})


if __name__ == '__main__':
    golden(*sys.argv[1:])

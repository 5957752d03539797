"""PSNR on the test sets through PyTorch: python3 -m training.evaluate CONFIG WEIGHTS TESTSETS

The figures to quote are the engine's (mambair eval); these watch a run.
"""
import argparse
import json

import numpy as np
import torch

from . import safetensors
from .data import to_tensor
from .model import Routing, load_model
from .tasks import make_task


def luma(x):
    """BT.601 studio luma of [..., 3] in 0..255, not rounded."""
    return x @ np.array([65.481, 128.553, 24.966]) / 255 + 16


def psnr(a, b, border, use_luma):
    """Of two uint8 pictures."""
    if border:
        a, b = (x[border:-border, border:-border] for x in (a, b))
    a, b = (x.astype(np.float64) for x in (a, b))
    if use_luma:
        a, b = luma(a), luma(b)
    return 10 * np.log10(255 ** 2 / max(np.mean((a - b) ** 2), 1e-12))


def restore(net, image, routing, device='cpu'):
    """One picture, uint8 or float32 in 0..1, through the network, as uint8."""
    with torch.no_grad():
        y = net(to_tensor(image[None], device), routing)[0]
    return y.clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).cpu().numpy()


def evaluate(net, task, testsets, routing='seeded', device='cpu'):
    """{picture: PSNR} and the mean under 'mean'. Routing is seeded, or random from a fixed generator (faster)."""
    border = task.scale if task.measure['border'] == 'scale' else task.measure['border']
    scores = {}
    for name, source, target in task.validation(testsets):
        draw = Routing(routing, generator=torch.Generator().manual_seed(0))
        scores[name] = psnr(restore(net, source, draw, device), target, border, task.measure['luma'])
    return {**scores, 'mean': float(np.mean(list(scores.values())))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('weights')
    parser.add_argument('testsets')
    parser.add_argument('--routing', default='seeded', choices=('seeded', 'argmax', 'random'))
    args = parser.parse_args()
    with open(args.config) as file:
        config = json.load(file)
    arrays, _ = safetensors.load(args.weights)
    net = load_model({k: torch.from_numpy(v.astype(np.float32)) for k, v in arrays.items()})
    for name, value in evaluate(net, make_task(config), args.testsets, args.routing).items():
        print(f'{name:24} {value:.3f}')


if __name__ == '__main__':
    main()

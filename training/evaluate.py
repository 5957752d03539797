"""PSNR on test sets through PyTorch: python3 -m training.evaluate CONFIG WEIGHTS TESTSETS [--sets Set5 Set14 ...]

The figures to quote are the engine's (mambair eval); these watch a run.
"""
import argparse
import json

import numpy as np
import torch

from . import safetensors
from .data import to_tensor
from .model import Routing, load_model
from .tasks import make_task, pairs_of


def psnr(a, b, border=0, weights=None):
    """Of two uint8 pictures; with weights of their weighted sum of channels (luma), not rounded."""
    if border:
        a, b = (x[border:-border, border:-border] for x in (a, b))
    d = a.astype(np.float64) - b
    if weights is not None:
        d = d @ weights
    return 10 * np.log10(255 ** 2 / max(np.mean(d ** 2), 1e-12))


def restore(net, image, routing, device='cpu'):
    """One picture, uint8 or float32 in 0..1, through the network, as uint8."""
    with torch.no_grad():
        y = net(to_tensor(image[None], device), routing)[0]
    return y.clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).cpu().numpy()


def evaluate(net, task, testsets, name=None, routing='seeded', device='cpu'):
    """{picture: PSNR} of a test set, the mean as 'mean'. Routing seeded, argmax, or random from a fixed generator."""
    scores = {}
    for picture, source, target in pairs_of(task, testsets, name or task.watched):
        draw = Routing(routing, generator=torch.Generator().manual_seed(0))
        scores[picture] = psnr(restore(net, source, draw, device), target, task.border, task.weights)
    return {**scores, 'mean': float(np.mean(list(scores.values())))}


def network_of(path):
    """The network of a .safetensors file of weights."""
    arrays, _ = safetensors.load(path)
    return load_model({k: torch.from_numpy(v.astype(np.float32)) for k, v in arrays.items()})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('weights')
    parser.add_argument('testsets')
    parser.add_argument('--sets', nargs='+', default=[None])
    parser.add_argument('--routing', default='seeded', choices=('seeded', 'argmax', 'random'))
    args = parser.parse_args()
    with open(args.config) as file:
        config = json.load(file)
    net, task = network_of(args.weights), make_task(config)
    for name in args.sets:
        scores = evaluate(net, task, args.testsets, name, args.routing)
        for picture, value in scores.items():
            if picture == 'mean' or not args.sets[1:]:
                print(f'{name or task.watched:10} {picture:16} {value:.3f}')


if __name__ == '__main__':
    main()

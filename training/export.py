"""Export the averaged weights of a run: python3 -m training.export RUN OUT.safetensors [--single]

Floats are stored as F16 (F32 with --single), under the official key names, with what a reader wants to know as
metadata.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch

from . import safetensors
from .train import Flat
from .model import MambaIRv2

LICENSE = 'Apache-2.0'


def weights_of(path):
    """The averaged weights {name: float32 array}, the configuration and the metadata of a state file."""
    arrays, meta = safetensors.load(path)
    config = json.loads(meta['config'])
    net = MambaIRv2(**config['model'])
    Flat.bind(net, torch.from_numpy(arrays['ema']))
    return {k: v.detach().numpy() for k, v in net.state_dict().items()}, config, meta


def export(state, out, single=False):
    weights, config, meta = weights_of(state)
    dtype = np.float32 if single else np.float16
    safetensors.save(out, {k: v.astype(dtype) for k, v in weights.items()}, {
        'format': 'pt', 'id': config['id'], 'architecture': 'mambairv2-light', 'task': config['task'],
        'scale': str(config['model'].get('upscale', 1)), 'license': LICENSE, 'routing': config['routing'],
        'steps': meta['step'], 'seed': str(config['seed']), 'img_range': '1'})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('run')
    parser.add_argument('out')
    parser.add_argument('--single', action='store_true')
    args = parser.parse_args()
    export(Path(args.run) / 'state.safetensors', args.out, args.single)


if __name__ == '__main__':
    main()

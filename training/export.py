"""Export the averaged weights of a run: python3 -m training.export RUN OUT.safetensors [--pack PACK --testsets DIR]

Floats are stored as F16 (F32 with --single; tied decay rates always) under the official key names, with what a reader wants to know as metadata.
With --pack and --testsets a model card is written beside it (OUT.md; measured through the engine, which must have been
built) with details before and after (OUT.webp), the validation curve it shows to training/curves, and what PyTorch
computes with the weights to test/golden/models, where the tests of the engine find it.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from . import safetensors
from .card import card
from .crops import strip
from .evaluate import network_of
from .golden import golden
from .measure import ROOT, quality
from .model import MambaIRv2
from .plot import curve, svg
from .train import Flat

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
    def stored(key, value):
        # Half precision would untie decays that are powers of one.
        tied = config.get('tied_decays') and key.endswith('A_logs')
        return value.astype(np.float32 if single or tied else np.float16)

    safetensors.save(out, {k: stored(k, v) for k, v in weights.items()}, {
        'format': 'pt', 'id': config['id'], 'architecture': 'mambairv2-light', 'task': config['task'],
        'scale': str(config['model'].get('upscale', 1)), 'license': LICENSE, 'routing': config['routing'],
        'steps': meta['step'], 'seed': str(config['seed']), 'img_range': '1'})
    return config, meta


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('run')
    parser.add_argument('out')
    parser.add_argument('--single', action='store_true')
    parser.add_argument('--pack')
    parser.add_argument('--testsets')
    args = parser.parse_args()
    config, meta = export(Path(args.run) / 'state.safetensors', args.out, args.single)
    if args.pack and args.testsets:
        scores, command = quality(config, args.out, args.testsets)
        pictures = json.loads(safetensors.load(args.pack)[1]['pictures'])
        parameters = sum(p.numel() for p in network_of(args.out).parameters())
        text = card(config, meta, scores, command, pictures, parameters, args.run, LICENSE)
        Path(args.out).with_suffix('.md').write_text(text)
        details = strip(config, args.testsets, [args.out])
        Image.fromarray(details).save(Path(args.out).with_suffix('.webp'), quality=86, method=6)
        golden(args.out, ROOT / 'test' / 'golden' / 'models' / f'{config["id"]}.safetensors')
        (ROOT / 'training' / 'curves' / f'{config["id"]}.svg').write_text(svg({config['id']: curve(args.run)}))


if __name__ == '__main__':
    main()

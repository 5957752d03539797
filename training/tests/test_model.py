"""The network against the official code's stored outputs, key names included."""
import json
import unittest

import torch

from training.model import Routing, load_model
from training.noise import gumbel_noise
from training.safetensors import load
from training.tests.shared import ROOT, needs

GOLDEN = ROOT / 'golden'
NAMES = ['light-x2-argmax', 'light-x2-seeded-fullwidth', 'light-x3-gumbel', 'light-x4-gumbel-batch2',
         'light-denoise-range255-argmax', 'classic-denoise-rgb-gumbel', 'classic-jpeg-gray-argmax',
         'classic-x2-direct-noqkvbias-gumbel', 'classic-x2-pixelshuffle-argmax', 'classic-x3-pixelshuffle-gumbel',
         'classic-x4-nearestconv-argmax', 'classic-x4-pixelshuffle-argmax-batch2']


def fixture(name):
    arrays, _ = load(GOLDEN / f'mambairv2-{name}.safetensors')
    side = json.loads((GOLDEN / f'mambairv2-{name}.json').read_text())
    tensors = {k: torch.from_numpy(v) for k, v in arrays.items()}
    extra = {k: tensors.pop(k) for k in list(tensors)
             if k in ('input', 'output') or k.startswith(('tap.', 'noise', 'cls'))}
    return tensors, extra, side


class Golden(unittest.TestCase):
    @needs('golden', 'mambairv2-light-x2-argmax.safetensors')
    def test_reproduces_the_official_output(self):
        for name in NAMES:
            state, extra, side = fixture(name)
            for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 2e-5)):
                with self.subTest(name=name, dtype=dtype), torch.no_grad():
                    net = load_model(state, img_range=side['hyper_parameters']['img_range']).to(dtype)
                    noises = [extra[f'noise{i}'] for i in range(side['block_count']) if 'noise0' in extra]
                    routing = Routing('noise', noises=noises) if noises else Routing('argmax')
                    if side['routing'] == 'seeded':
                        routing = Routing('seeded', seed=side['noise_seed'])
                        tolerance = max(tolerance, 1e-7)
                    y = net(extra['input'].to(dtype), routing).double()
                    error = ((y - extra['output']).norm() / extra['output'].norm()).item()
                    self.assertLess(error, tolerance)

    @needs('golden', 'mambairv2-light-x2-argmax.safetensors')
    def test_state_dictionary_has_the_official_keys_and_shapes(self):
        for name in NAMES:
            state, _, _ = fixture(name)
            state.pop('relative_position_index_SA', None)
            ours = load_model(state).state_dict()
            self.assertEqual({k: v.shape for k, v in ours.items()}, {k: v.shape for k, v in state.items()}, name)

    @needs('golden', 'mambairv2-unit-seeded-noise.safetensors')
    def test_seeded_noise(self):
        noise = gumbel_noise(0, 0, 2, 2, 4)[0]
        for at, token, value in ((0, 0, 2.8062912129), (0, 1, 1.63515334317), (1, 0, 3.10351296166),
                                 (2, 0, 1.70331228952)):
            self.assertAlmostEqual(float(noise[at, token]), value, places=5)


if __name__ == '__main__':
    unittest.main()

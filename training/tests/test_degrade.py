"""Degradations against the golden resizing data, and their own laws."""
import json
import unittest

import numpy as np

from training import degrade
from training.safetensors import load
from training.tasks import make_task, read, pairs_of
from training.tests.shared import ROOT, needs


class Imresize(unittest.TestCase):
    @needs('golden', 'imresize', 'imresize.json')
    def test_golden(self):
        folder = ROOT / 'golden' / 'imresize'
        for case in json.loads((folder / 'imresize.json').read_text())['cases']:
            arrays, _ = load(folder / case['file'])
            for out in case['outputs']:
                with self.subTest(case=case['name'], scale=out['scale']):
                    args = out['scale_value'], case['antialiasing']
                    exact = degrade.imresize(arrays['input'] / 255, *args)
                    np.testing.assert_allclose(exact, arrays[out['float_tensor']], atol=2e-6)
                    wrong = degrade.imresize(arrays['input'], *args) != arrays[out['matlab_uint8_tensor']]
                    self.assertLessEqual(wrong.sum(), 10 if out['scale'] in ('0.7', '1.5') else 0)

    @needs('testsets', 'Set5', 'LRbicx2')
    def test_reproduces_benchmark_inputs(self):
        for scale in (2, 3, 4):
            task = make_task({'task': 'sr', 'task_options': {'scale': scale}})
            for name, lr, _ in pairs_of(task, ROOT / 'testsets', 'Set5'):
                given = read(ROOT / 'testsets' / 'Set5' / f'LRbicx{scale}' / f'{name}x{scale}.png')
                np.testing.assert_array_equal(lr, given)


class RandomDegradations(unittest.TestCase):
    def setUp(self):
        y, x = np.mgrid[:64, :64]
        self.image = np.stack([y * 4, x * 4, (x + y) * 2], -1).astype(np.uint8)

    def test_noise_has_its_sigma_and_is_not_clipped(self):
        noisy = degrade.add_noise(self.image, 25, np.random.default_rng(1))
        self.assertAlmostEqual(float((noisy * 255 - self.image).std()), 25, delta=0.7)
        self.assertLess(noisy.min(), 0)

    def test_jpeg_gets_worse_with_lower_quality(self):
        errors = [np.abs(degrade.jpeg(self.image, q, 2).astype(int) - self.image).mean() for q in (95, 50, 10)]
        self.assertEqual(errors, sorted(errors))

    def test_a_generator_fixes_every_choice(self):
        for config in ({'task': 'denoise'}, {'task': 'jpeg'}, {'task': 'real', 'task_options': {'scale': 2}},
                       {'task': 'real', 'task_options': {'scale': 4}}):
            task = make_task(config)
            with self.subTest(config=config):
                for seed in range(12):
                    a, b = (task.degrade(self.image, np.random.default_rng(seed)) for _ in range(2))
                    np.testing.assert_array_equal(a[0], b[0])
                    self.assertEqual(a[0].shape[0] * task.scale, a[1].shape[0])
                    self.assertEqual(a[1].shape[0], 64 - task.margin)


if __name__ == '__main__':
    unittest.main()

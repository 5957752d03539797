"""Targets of a larger network, plans that go on from earlier ones, losses, the reward of routing, the measures."""
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

from training import compare, safetensors, teach
from training.data import Patches
from training.initialise import initialise
from training.model import MambaIRv2, routing_by_content
from training.tasks import make_task
from training.tests import test_train
from training.tests.test_train import SMALL, config_of, picture, silent
from training.train import Run, loss_of


class Teaching(unittest.TestCase):
    setUpClass = classmethod(test_train.Training.setUpClass.__func__)  # packed pictures in a folder
    tearDownClass = classmethod(test_train.Training.tearDownClass.__func__)

    def test_tiles_of_a_teacher_are_trained_on(self):
        torch.manual_seed(1)
        net = MambaIRv2(**SMALL)
        initialise(net)
        state = {k: v.numpy() for k, v in silent(net).state_dict().items()}
        safetensors.save(self.folder / 'teacher.safetensors', state)
        sizes = teach.TILE, teach.MARGIN
        teach.TILE, teach.MARGIN = 20, 2
        try:
            out = self.folder / 'taught.safetensors'
            teach.teach(self.packed, str(self.folder / 'teacher.safetensors'), out, 0.003)
        finally:
            teach.TILE, teach.MARGIN = sizes
        arrays, _ = safetensors.load(out)
        name = sorted(arrays)[0].rsplit('/', 1)[0]
        self.assertEqual(arrays[f'{name}/input'].shape, (16, 16, 3))
        self.assertEqual(arrays[f'{name}/taught'].shape, arrays[f'{name}/target'].shape)
        error = np.abs(arrays[f'{name}/taught'].astype(int) - arrays[f'{name}/target']).mean()
        self.assertLess(error, 4)  # aligned: this teacher is bicubic, the pictures are smooth
        config = config_of()
        patches = Patches(None, make_task(config), 8, 2, 1, out)
        source, target, taught = patches.batch(0, 2)
        self.assertEqual(taught.shape, target.shape)
        Run(config, self.folder / 'taught').advance(patches)


class Plans(unittest.TestCase):
    def test_a_plan_can_go_on_from_an_earlier_one(self):
        with tempfile.TemporaryDirectory() as folder:
            run = Run(config_of(steps=20, since=10), Path(folder))
            run.flat.step = 15
            self.assertEqual(run.progress(), 0.5)


class Measures(unittest.TestCase):
    def test_the_loss_in_decibels_weighs_patches_alike(self):
        target = torch.zeros(2, 3, 4, 4)
        for scale in (0.05, 0.2):
            output = torch.full_like(target, scale, requires_grad=True)
            loss_of('psnr', output, target).backward()
            self.assertAlmostEqual((output.grad * output).sum().item(), 0.02, delta=4e-4)

    def test_the_reward_knows_uniform_and_sure_routers(self):
        sure = torch.eye(4).repeat(5, 1)[None] * 50
        uniform = torch.zeros(1, 20, 4)
        rewards = [routing_by_content(x.log_softmax(-1)).item() for x in (uniform, sure)]
        self.assertAlmostEqual(rewards[0], 0, places=5)
        self.assertAlmostEqual(rewards[1], np.log(4), places=4)

    def test_gmsd_is_zero_for_equals_and_grows_with_blur(self):
        image = picture(3, 64)
        noisy = [np.clip(image + np.random.default_rng(1).normal(0, s, image.shape), 0, 255).astype(np.uint8)
                 for s in (0, 10, 40)]
        values = [compare.gmsd(image, other) for other in noisy]
        self.assertEqual(values[0], 0)
        self.assertEqual(values, sorted(values))


if __name__ == '__main__':
    unittest.main()

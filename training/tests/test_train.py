"""A run, from packed pictures to exported weights: resume, determinism, warm start, the start of training."""
import json
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from training import degrade, export, pack, plot, safetensors
from training.data import Patches
from training.evaluate import psnr, restore
from training.fit_head import fit_head
from training.initialise import initialise, warm_start
from training.model import MambaIRv2, Routing, load_model
from training.tasks import make_task
from training.train import Run, train

CONFIGS = Path(__file__).parents[1] / 'configs'
SMALL = dict(embed_dim=16, depths=[1, 2], num_heads=[2, 2], num_tokens=4, inner_rank=4, window_size=4)


def picture(seed, size=80):
    """A smooth random picture."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (size // 8, size // 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((size, size), Image.BICUBIC))


def config_of(name='tiny-x2', **changes):
    config = json.loads((CONFIGS / f'{name}.json').read_text())
    config['model'].update(SMALL)
    return {**config, 'since': 0, 'patch': 8, 'batch': 2, 'steps': 8, 'warmup': 2, 'log_every': 2, **changes}


class Training(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name)
        (cls.folder / 'images').mkdir()
        entries = []
        for i in range(3):
            Image.fromarray(picture(i)).save(cls.folder / 'images' / f'{i}.png')
            entries.append({'file': f'images/{i}.png', 'license': 'CC0 1.0', 'source': 'made here'})
        (cls.folder / 'manifest.json').write_text(json.dumps(entries))
        cls.packed = cls.folder / 'train.pack'
        pack.pack(cls.folder, cls.packed)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def weights(self, run):
        return run.flat.weights.numpy().copy()

    def test_a_resumed_run_ends_with_the_same_weights(self):
        config = config_of()
        whole = train(config, self.packed, None, self.folder / 'whole')
        train(config, self.packed, None, self.folder / 'cut', until=3)
        cut = train(config, self.packed, None, self.folder / 'cut')
        self.assertEqual(cut.flat.step, 8)
        for name, array in whole.flat.state().items():
            np.testing.assert_array_equal(array, cut.flat.state()[name], name)

    def test_every_configuration_trains(self):
        for path in sorted(CONFIGS.glob('*.json')):
            with self.subTest(config=path.stem):
                config = config_of(path.stem, steps=1, start=None, fit_head=0)
                run = train(config, self.packed, None, self.folder / path.stem)
                self.assertTrue(np.isfinite(self.weights(run)).all())

    def test_routing_by_content_trains_the_router(self):
        run = Run(config_of(routing='train'), self.folder / 'routed')
        patches = Patches(self.packed, make_task(run.config), 8, 1, 1)
        update, run.flat.update = run.flat.update, lambda rate: None
        run.advance(patches)
        router = run.net.layers[0].residual_group.layers[0].assm.route
        self.assertGreater(router[2].weight.grad.abs().sum().item(), 0)
        run.flat.update = update

    def test_tied_decays_stay_multiples_of_one_rate_and_are_stored_so(self):
        run = train(config_of(tied_decays=True), self.packed, None, self.folder / 'tied')
        first = run.net.layers[0].residual_group.layers[0].assm.selectiveScan.A_logs
        self.assertGreater(first[:, 0].abs().max().item(), 0)  # it was trained
        export.export(run.path, self.folder / 'tied.safetensors')
        stored, _ = safetensors.load(self.folder / 'tied.safetensors')
        for key, logs in stored.items():
            if key.endswith('A_logs'):
                self.assertEqual(logs.dtype, np.float32)
                rates = np.exp(logs.astype(np.float64))
                np.testing.assert_allclose(rates / rates[:, :1], np.broadcast_to(np.arange(1, 9), rates.shape), rtol=4e-7)
            else:
                self.assertEqual(logs.dtype, np.float16)

    def test_export_keeps_names_and_values(self):
        train(config_of(steps=2, tied_decays=False), self.packed, None, self.folder / 'out')
        out = self.folder / 'out.safetensors'
        export.export(self.folder / 'out' / 'state.safetensors', out)
        arrays, meta = safetensors.load(out)
        self.assertEqual(meta['id'], 'tiny-x2')
        self.assertTrue(all(a.dtype == np.float16 for a in arrays.values()))
        net = load_model({k: torch.from_numpy(v.astype(np.float32)) for k, v in arrays.items()})
        self.assertEqual(net.cfg['depths'], SMALL['depths'])

    def test_pack_keeps_a_limit_leaves_out_and_refuses_licences(self):
        size = pack.TILE
        pack.TILE = 40
        try:
            pack.pack(self.folder, self.folder / 'small.pack', megabytes=0.02)
        finally:
            pack.TILE = size
        self.assertLess((self.folder / 'small.pack').stat().st_size, 24000)
        pack.pack(self.folder, self.folder / 'less.pack', without=['1.png'])
        self.assertEqual(set(safetensors.load(self.folder / 'less.pack')[0]), {'images/0.png', 'images/2.png'})
        with self.assertRaises(SystemExit):
            pack.pack(self.folder, self.folder / 'less.pack', without=['7.png'])
        bad = self.folder / 'bad'
        bad.mkdir()
        (bad / 'manifest.json').write_text(json.dumps([{'file': 'x', 'license': 'CC BY-NC 4.0', 'source': ''}]))
        with self.assertRaises(SystemExit):
            pack.pack(bad, bad / 'pack')

    def test_plot(self):
        text = plot.svg({'a': [(0.1, 30.0), (0.2, 31.0), (0.5, 31.5)]})
        self.assertIn('31.50', text)


def silent(net):
    """The network without its learned part: only the path that carries the picture."""
    with torch.no_grad():
        net.upsample[0].weight[:, net.cfg['in_chans']:] = 0
        net.conv_after_body.weight.zero_()
        net.conv_after_body.bias.zero_()
    return net


class Start(unittest.TestCase):
    def test_an_untrained_network_is_bicubic_plus_a_learned_part(self):
        hr = degrade.crop_to_multiple(picture(5, 96), 12)
        for scale in (2, 3, 4):
            torch.manual_seed(1)
            net = MambaIRv2(**{**SMALL, 'upscale': scale})
            initialise(net)
            lr = degrade.imresize(hr, 1 / scale)
            ours = restore(silent(net), lr, Routing('random'))
            self.assertGreater(psnr(ours, degrade.imresize(lr, scale), 8), 38, f'scale {scale}')

    def test_warm_start_carries_the_body_to_another_scale(self):
        torch.manual_seed(1)
        net = MambaIRv2(**SMALL)
        initialise(net)
        silent(net)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'x2.safetensors'
            safetensors.save(path, {k: v.numpy() for k, v in net.state_dict().items()})
            other = MambaIRv2(**{**SMALL, 'upscale': 4})
            warm_start(other, path)
            same = MambaIRv2(**SMALL)
            warm_start(same, path)
        for key, value in net.state_dict().items():
            self.assertTrue(torch.equal(value, same.state_dict()[key]), key)
        self.assertTrue(torch.equal(net.norm.weight, other.norm.weight))
        hr = degrade.crop_to_multiple(picture(5, 96), 12)
        lr = degrade.imresize(hr, 1 / 4)
        ours = restore(other, lr, Routing('random'))
        self.assertGreater(psnr(ours, degrade.imresize(lr, 4), 8), 30)


    def test_warm_start_joins_classes_and_heads(self):
        torch.manual_seed(1)
        net, other = MambaIRv2(**SMALL), MambaIRv2(**{**SMALL, 'num_tokens': 1, 'num_heads': [1, 1]})
        initialise(net)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'x2.safetensors'
            safetensors.save(path, {k: v.numpy() for k, v in net.state_dict().items()})
            warm_start(other, path)
        block, joined = (n.layers[0].residual_group.layers[0] for n in (net, other))
        torch.testing.assert_close(joined.assm.embeddingB.weight, block.assm.embeddingB.weight.mean(0, keepdim=True))
        torch.testing.assert_close(joined.win_mhsa.relative_position_bias_table[:, 0],
                                   block.win_mhsa.relative_position_bias_table.sum(1))
        self.assertTrue(torch.equal(joined.wqkv.weight, block.wqkv.weight))


class FitHead(unittest.TestCase):
    def test_finds_the_head_that_made_the_targets(self):
        torch.manual_seed(1)
        net, other = MambaIRv2(**SMALL), MambaIRv2(**SMALL)
        initialise(net)
        other.load_state_dict(net.state_dict())
        with torch.no_grad():
            other.upsample[0].weight += 0.1 * torch.randn_like(other.upsample[0].weight)
            other.upsample[0].bias += 0.1

        class Made:
            def batch(self, step, size, device):
                generator = torch.Generator().manual_seed(step)
                source = torch.rand(size, 3, 12, 12, generator=generator)
                classes = Routing('random', generator=torch.Generator().manual_seed(step - 2 ** 40))
                return source, other(source, classes)
        fit_head(net, Made(), 12)
        source, target = Made().batch(2 ** 40 + 50, 2, 'cpu')
        with torch.no_grad():
            ours = net(source, Routing('random', generator=torch.Generator().manual_seed(50)))
        self.assertLess((ours - target).abs().max().item(), 2e-3)


class WholeBlock(unittest.TestCase):
    def test_equals_the_operations_one_by_one_in_float64(self):
        results = []
        for dtype in (torch.float64, torch.float32):
            torch.manual_seed(1)
            net = MambaIRv2(**{**SMALL, 'depths': [2]})
            initialise(net)
            for p in net.parameters():
                p.data += 0.05 * torch.randn_like(p)
            net = net.to(dtype)
            classes = [torch.randint(4, (2, 12 * 8)) for _ in range(2)]
            y = net(torch.rand(2, 3, 11, 7).to(dtype), Routing('forced', classes=classes))
            (y ** 2).sum().backward()
            names = ['output'] + [k for k, p in net.named_parameters() if p.grad is not None]
            grads = [p.grad for p in net.parameters() if p.grad is not None]
            results.append(dict(zip(names, [y.detach(), *grads])))
        for name, plain in results[0].items():
            error = ((results[1][name].double() - plain).norm() / plain.norm().clamp_min(1e-30)).item()
            self.assertLess(error, 5e-4 if name != 'output' else 5e-6, name)


if __name__ == '__main__':
    unittest.main()

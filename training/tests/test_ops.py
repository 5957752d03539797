"""Every native operation against the plain one: values and gradients."""
import unittest

import torch

from training.ops import class_order, native, reference


def uniform(*shape):
    return torch.rand(*shape) * 2 - 1


class NativeOps(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)

    def compare(self, name, args, kwargs=None, tolerance=2e-5):
        """Native float32 against plain float64 on the same numbers; relative error of every tensor."""
        kwargs = kwargs or {}

        def run(function, dtype):
            leaves = []

            def convert(v):
                if isinstance(v, tuple):
                    return tuple(convert(e) for e in v)
                if not isinstance(v, torch.Tensor) or not v.is_floating_point():
                    return v
                leaves.append(v.to(dtype).clone().requires_grad_())
                return leaves[-1]
            out = function(*[convert(a) for a in args], **{k: convert(v) for k, v in kwargs.items()})
            self.assertIsNot(out, NotImplemented)
            torch.manual_seed(2)
            (out * uniform(*out.shape).to(dtype)).sum().backward()
            return [out.detach()] + [leaf.grad for leaf in leaves]
        fast = run(getattr(native, name), torch.float32)
        plain = run(getattr(reference, name), torch.float64)
        for i, (a, b) in enumerate(zip(fast, plain)):
            error = ((a.double() - b).norm() / b.norm().clamp_min(1e-30)).item()
            self.assertLess(error, tolerance, f'{name}: tensor {i} (0 is the output, then gradients in order)')

    def test_linear(self):
        for k, n in ((32, 96), (16, 32), (48, 48)):
            x, w, b = uniform(3, 7, 5, k) * 3, uniform(n, k), uniform(n)
            norm, r, scale, skip = (uniform(k), uniform(k)), uniform(3, 7, 5, n), uniform(n), uniform(3, 7, 5, n)
            with self.subTest(k=k, n=n):
                self.compare('linear', (x, w, b))
                self.compare('linear', (x, w, None), dict(norm=norm))
                self.compare('linear', (x, w, b), dict(norm=norm, gelu=True))
                self.compare('linear', (x, w, b), dict(residual=r))
                self.compare('linear', (x, w, b), dict(residual=r, scale=scale, skip=skip, norm=norm))

    def test_window_attention(self):
        for c, heads, ws, shift in ((32, 4, 8, 0), (32, 4, 8, 4), (32, 2, 8, 4), (48, 4, 4, 2), (16, 4, 4, 0)):
            with self.subTest(c=c, heads=heads, ws=ws, shift=shift):
                qkv, table = uniform(2, 2 * ws, 3 * ws, 3 * c) * 2, uniform((2 * ws - 1) ** 2, heads)
                self.compare('window_attention', (qkv, table, heads, ws, shift))

    def test_spatial_gate(self):
        for c, h, w in ((16, 9, 11), (32, 8, 16), (16, 3, 1)):
            norm = (uniform(c), uniform(c))
            self.compare('spatial_gate', (uniform(2, h, w, 2 * c), norm, uniform(c, 1, 5, 5), uniform(c)))

    def test_position_gate(self):
        for c, h, w in ((32, 9, 11), (16, 8, 16), (16, 1, 2)):
            self.compare('position_gate', (uniform(2, h, w, c), uniform(c, 1, 3, 3), uniform(c)))

    def test_sorted_scan(self):
        for hd, n, length in ((32, 8, 77), (48, 8, 64), (32, 16, 33), (16, 8, 1)):
            with self.subTest(hd=hd, n=n, length=length):
                rank = -(-hd // 16)
                order = class_order(torch.randint(8, (2, length)))
                a_logs = torch.log(torch.arange(1., n + 1)) * uniform(hd, 1)
                self.compare('sorted_scan', (uniform(2, length, hd), order, uniform(2, length, n),
                                             uniform(rank + 2 * n, hd) * 0.5, uniform(hd, rank), uniform(hd) - 1,
                                             a_logs, uniform(hd)))

    def test_other_shapes_are_left_to_plain_pytorch(self):
        self.assertIs(native.linear(uniform(2, 12), uniform(24, 12), None), NotImplemented)


if __name__ == '__main__':
    unittest.main()

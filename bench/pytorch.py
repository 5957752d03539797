"""Times MambaIRv2-light x4 (320 x 180 -> 1280 x 720) in plain PyTorch on the CPU, without the selective scan.

Dense operators alone: PyTorch has none for the scan, and a loop over 61 440 steps would say nothing about it. So this
is a lower bound of what PyTorch takes. Run it beside `mambair bench`, from the root of the repository:

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 python3 bench/pytorch.py
    OPENBLAS_NUM_THREADS=2 OMP_NUM_THREADS=2 python3 bench/pytorch.py
"""
import os
import sys
import time

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from training import ops  # noqa: E402
from training.initialise import initialise  # noqa: E402
from training.model import MambaIRv2, Routing  # noqa: E402


def without_scan(u, order, prompt, x_proj, dt_weight, dt_bias, a_logs, d):
    """The dense parts of the scan's surroundings: gather, the two projections, scatter."""
    n, rank = a_logs.shape[1], dt_weight.shape[1]
    index = order.long()[..., None].expand(u.shape)
    us = u.gather(1, index)
    dt, bm, cm = (us @ x_proj.t()).split([rank, n, n], -1)
    delta = torch.nn.functional.softplus(dt @ dt_weight.t() + dt_bias)
    return torch.zeros_like(u).scatter(1, index, delta * us + d * us)


def main():
    for name in ('linear', 'window_attention', 'spatial_gate', 'position_gate'):
        setattr(ops, name, getattr(ops.reference, name))
    ops.sorted_scan = without_scan
    ops.native.applies = lambda x: False

    torch.manual_seed(0)
    net = MambaIRv2(embed_dim=48, depths=[5] * 4, num_heads=[4] * 4, window_size=16, inner_rank=32, num_tokens=64,
                    upscale=4)
    initialise(net)
    image = torch.rand(1, 3, 180, 320)
    print(f'PyTorch {torch.__version__}, {torch.get_num_threads()} threads, {len(os.sched_getaffinity(0))} cores')
    with torch.no_grad():
        for run in range(3):
            cpu, wall = time.process_time(), time.perf_counter()
            out = net(image, Routing('random'))
            print(f'run {run}: {time.process_time() - cpu:.2f} cpu s, {time.perf_counter() - wall:.2f} wall s, '
                  f'{tuple(out.shape)}')


if __name__ == '__main__':
    main()

"""Seeded Gumbel noise: a pure function of (seed, block, row, column, token), equal on every machine and engine."""
import numpy as np


def pcg4d(x, y, z, w):
    """The public pcg4d integer hash (Jarzynski and Olano 2020) on uint32 arrays."""
    v = [np.uint32(c) * np.uint32(1664525) + np.uint32(1013904223) for c in (x, y, z, w)]
    for last in (False, True):
        v[0] = v[0] + v[1] * v[3]
        v[1] = v[1] + v[2] * v[0]
        v[2] = v[2] + v[0] * v[1]
        v[3] = v[3] + v[1] * v[2]
        if not last:
            v = [c ^ (c >> np.uint32(16)) for c in v]
    return v


def gumbel_noise(seed, block, h, w, tokens):
    """Standard Gumbel noise [1, h·w, tokens], float32, raster order."""
    with np.errstate(over='ignore'):
        y, x, q = np.meshgrid(*(np.arange(n, dtype=np.uint32) for n in (h, w, -(-tokens // 4))), indexing='ij')
        word = np.full_like(x, (seed * 0x9E3779B9 + block) & 0xFFFFFFFF)
        bits = np.stack(pcg4d(x, y, q, word), -1).reshape(1, h * w, -1)[..., :tokens]
    u = ((bits >> np.uint32(9)) + np.float64(0.5)) * 2.0 ** -23
    return (-np.log(-np.log1p(-u))).astype(np.float32)

"""The operations the network is made of. Native C++ where it applies (float32 on the CPU), plain PyTorch elsewhere."""
import numpy as np
import torch

from . import native, reference
from .reference import depthwise

__all__ = ['class_order', 'depthwise', 'linear', 'position_gate', 'sorted_scan', 'spatial_gate', 'window_attention']


def class_order(cls):
    """Stable argsort of small class numbers [B, L] -> [B, L] int64: raster order inside a class."""
    if cls.is_cuda:
        return torch.sort(cls, dim=1, stable=True).indices
    return torch.from_numpy(np.argsort(cls.numpy().astype(np.uint16), axis=1, kind='stable'))


def choose(name):
    plain, fast = getattr(reference, name), getattr(native, name, None)

    def op(x, *args, **kwargs):
        if fast is not None and native.applies(x):
            out = fast(x, *args, **kwargs)
            if out is not NotImplemented:
                return out
        return plain(x, *args, **kwargs)
    op.__name__, op.__doc__ = name, plain.__doc__
    return op


linear = choose('linear')
window_attention = choose('window_attention')
spatial_gate = choose('spatial_gate')
position_gate = choose('position_gate')
sorted_scan = choose('sorted_scan')

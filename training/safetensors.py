"""Reading and writing .safetensors files with nothing but numpy."""
import json
import os
import struct

import numpy as np

DTYPES = {'F64': '<f8', 'F32': '<f4', 'F16': '<f2', 'I64': '<i8', 'I32': '<i4', 'U32': '<u4', 'U8': '|u1'}
NAMES = {np.dtype(v): k for k, v in DTYPES.items()}


def load(path):
    """{name: array} and the string metadata of a file."""
    with open(path, 'rb') as file:
        data = file.read()
    size, = struct.unpack('<Q', data[:8])
    header = json.loads(data[8:8 + size])
    metadata = header.pop('__metadata__', {})
    arrays = {}
    for name, entry in header.items():
        begin, end = (8 + size + o for o in entry['data_offsets'])
        arrays[name] = np.frombuffer(data[begin:end], DTYPES[entry['dtype']]).reshape(entry['shape']).copy()
    return arrays, metadata


def save(path, arrays, metadata=None):
    """Write aside, then rename. Names are sorted, so that equal contents give equal bytes."""
    header, offset = {'__metadata__': metadata} if metadata else {}, 0
    arrays = {k: np.asarray(arrays[k], order='C') for k in sorted(arrays)}
    for name, a in arrays.items():
        header[name] = {'dtype': NAMES[a.dtype], 'shape': list(a.shape), 'data_offsets': [offset, offset + a.nbytes]}
        offset += a.nbytes
    text = json.dumps(header, separators=(',', ':'), ensure_ascii=False).encode()
    text += b' ' * (-len(text) % 8)
    with open(f'{path}.part', 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text)
        for a in arrays.values():
            file.write(a.tobytes())
    os.replace(f'{path}.part', path)

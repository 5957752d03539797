"""The operations in C++ (float32, CPU), as autograd functions over a library that is built on first use.

Shapes outside the kernels' reach (widths that are no multiples of 16, ...) answer NotImplemented; the caller then
takes the plain operation.
"""
import ctypes
import hashlib
import os
import subprocess
from functools import lru_cache
from pathlib import Path

import torch

SOURCES = Path(__file__).parent / 'cpp'
FLAGS = ['-O3', '-march=native', '-ffast-math', '-std=c++17', '-shared', '-fPIC', '-fopenmp', '-Wno-psabi']
enabled = os.environ.get('MAMBAIR_NATIVE', '1') != '0'


@lru_cache(None)
def library():
    """Build (once per source text and processor) and load the kernels."""
    files = sorted(SOURCES.glob('*'))
    compiler = os.environ.get('CXX', 'g++')
    target = subprocess.run([compiler, '-march=native', '-Q', '--help=target'], capture_output=True).stdout
    key = hashlib.sha256(b''.join(f.read_bytes() for f in files) + target + repr(FLAGS).encode()).hexdigest()[:16]
    cache = Path(os.environ.get('XDG_CACHE_HOME', Path.home() / '.cache')) / 'mambair-training'
    path = cache / f'ops-{key}.so'
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        aside = cache / f'ops-{key}.{os.getpid()}.so'
        sources = [str(f) for f in files if f.suffix == '.cpp']
        subprocess.run([compiler, *FLAGS, *sources, '-o', str(aside)], check=True)
        aside.replace(path)
    return ctypes.CDLL(str(path))


def applies(x):
    return enabled and x.dtype == torch.float32 and not x.is_cuda


class Pointers(ctypes.Structure):
    """A C struct whose fields are filled by name from numbers and tensors (None is a null pointer)."""

    def __init__(self, **values):
        super().__init__()
        self.kept = values  # a tensor made for this call must live until it returns
        for name, value in values.items():
            if isinstance(value, torch.Tensor):
                assert value.is_contiguous(), name
                value = value.data_ptr()
            if value is not None:
                setattr(self, name, value)


def struct(name, ints, pointers):
    """Fields: the first int is 64-bit (images or tokens), the others 32-bit, then pointers."""
    first, *rest = ints.split()
    fields = [(first, ctypes.c_int64)] + [(n, ctypes.c_int) for n in rest]
    return type(name, (Pointers,), {'_fields_': fields + [(n, ctypes.c_void_p) for n in pointers.split()]})


BLOCK_WEIGHTS = (
    'norm1.weight norm1.bias wqkv.weight wqkv.bias win_mhsa.relative_position_bias_table win_mhsa.proj.weight '
    'win_mhsa.proj.bias scale1 FFN1 norm3.weight norm3.bias assm.in_proj.0.weight assm.in_proj.0.bias '
    'assm.CPE.0.weight assm.CPE.0.bias assm.selectiveScan.x_proj_weight assm.selectiveScan.dt_projs_weight '
    'assm.selectiveScan.dt_projs_bias assm.selectiveScan.A_logs assm.selectiveScan.Ds assm.out_norm.weight '
    'assm.out_norm.bias assm.out_proj.weight assm.out_proj.bias scale2 FFN2')
for i in '12':
    BLOCK_WEIGHTS = BLOCK_WEIGHTS.replace(f'FFN{i}', (
        f'norm{2 * int(i)}.weight norm{2 * int(i)}.bias convffn#.fc1.weight convffn#.fc1.bias convffn#.sg.norm.weight '
        'convffn#.sg.norm.bias convffn#.sg.conv.weight convffn#.sg.conv.bias convffn#.fc2.weight convffn#.fc2.bias'
    ).replace('#', i))
BLOCK_WEIGHTS = BLOCK_WEIGHTS.split()

LinearArgs = struct('LinearArgs', 'tokens k n gelu add_dx', 'x weight bias gamma beta residual scale skip y moments '
                    'slope dy dx dweight dbias dgamma dbeta dscale dskip')
AttentionArgs = struct('AttentionArgs', 'images h w c heads ws shift', 'qkv table y lse dy dqkv dtable')
SpatialArgs = struct('SpatialArgs', 'images h w c', 'a gamma beta weight bias y moments conv dy da dgamma dbeta '
                     'dweight dbias')
PositionArgs = struct('PositionArgs', 'images h w c', 'u weight bias y gate dy du dweight dbias')
ScanArgs = struct('ScanArgs', 'images length hd n rank width', 'u order prompt x_proj dt_weight dt_bias a_logs d y '
                  'rows delta states dy du dprompt dx_proj ddt_weight ddt_bias da_logs dd')




class BlockArgs(Pointers):
    """As in block.cpp; weights and gradients are arrays of pointers in the order of BLOCK_WEIGHTS."""
    _fields_ = [('images', ctypes.c_int64)] + [
        (n, ctypes.c_int) for n in 'h w c heads ws shift f hd n rank width threads'.split()] + [
        (n, ctypes.c_void_p) for n in 'x order prompt y saved dy dx dprompt'.split()] + [
        (n, ctypes.c_void_p * len(BLOCK_WEIGHTS)) for n in ('weights', 'grads')] + [('grad_floats', ctypes.c_int64)]


def call(name, args):
    getattr(library(), name)(ctypes.byref(args))


def zeros_like(*tensors):
    return [None if t is None else torch.zeros_like(t, memory_format=torch.contiguous_format) for t in tensors]


class Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, gamma, beta, residual, scale, skip, gelu):
        n, k = weight.shape
        tokens = x.numel() // k
        x = x.contiguous()
        y = x.new_empty(*x.shape[:-1], n)
        moments = None if gamma is None else x.new_empty(tokens, 2)
        slope = torch.empty_like(y) if gelu else None
        call('linear_forward', LinearArgs(tokens=tokens, k=k, n=n, gelu=gelu, x=x, weight=weight, bias=bias,
                                          gamma=gamma, beta=beta, residual=residual, scale=scale, skip=skip, y=y,
                                          moments=moments, slope=slope))
        ctx.save_for_backward(x, weight, bias, gamma, beta, scale, skip, moments, slope)
        ctx.has_residual = residual is not None
        return y

    @staticmethod
    def backward(ctx, dy):
        x, weight, bias, gamma, beta, scale, skip, moments, slope = ctx.saved_tensors
        n, k = weight.shape
        dy = dy.contiguous()
        dx, dskip = torch.empty_like(x), None if skip is None else torch.empty_like(skip)
        dweight, dbias, dgamma, dbeta, dscale = zeros_like(weight, bias, gamma, beta, scale)
        call('linear_backward', LinearArgs(tokens=x.numel() // k, k=k, n=n, gelu=slope is not None, x=x, weight=weight,
                                           gamma=gamma, beta=beta, scale=scale, skip=skip, moments=moments, slope=slope,
                                           dy=dy, dx=dx, dweight=dweight, dbias=dbias, dgamma=dgamma, dbeta=dbeta,
                                           dscale=dscale, dskip=dskip))
        return dx, dweight, dbias, dgamma, dbeta, dy if ctx.has_residual else None, dscale, dskip, None


def linear(x, weight, bias, norm=None, gelu=False, residual=None, scale=None, skip=None):
    if weight.shape[0] % 16 or weight.shape[1] % 16:
        return NotImplemented
    gamma, beta = norm or (None, None)
    return Linear.apply(x, weight, bias, gamma, beta, residual, scale, skip, gelu)


class Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx, qkv, table, heads, ws, shift):
        b, h, w, c3 = qkv.shape
        y, lse = qkv.new_empty(b, h, w, c3 // 3), qkv.new_empty(b, h * w, heads)
        ctx.sizes = dict(images=b, h=h, w=w, c=c3 // 3, heads=heads, ws=ws, shift=shift)
        call('attention_forward', AttentionArgs(qkv=qkv, table=table, y=y, lse=lse, **ctx.sizes))
        ctx.save_for_backward(qkv, table, y, lse)
        return y

    @staticmethod
    def backward(ctx, dy):
        qkv, table, y, lse = ctx.saved_tensors
        dqkv, dtable = torch.empty_like(qkv), torch.zeros_like(table)
        call('attention_backward', AttentionArgs(qkv=qkv, table=table, y=y, lse=lse, dy=dy.contiguous(), dqkv=dqkv,
                                                 dtable=dtable, **ctx.sizes))
        return dqkv, dtable, None, None, None


def window_attention(qkv, table, heads, ws, shift):
    if ws * ws % 16 or qkv.shape[-1] // 3 // heads not in (4, 8, 12, 16):
        return NotImplemented
    return Attention.apply(qkv.contiguous(), table, heads, ws, shift)


class SpatialGate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, gamma, beta, weight, bias):
        b, h, w, f = a.shape
        ctx.sizes = dict(images=b, h=h, w=w, c=f // 2)
        y, moments, conv = a.new_empty(b, h, w, f // 2), a.new_empty(b, h, w, 2), a.new_empty(b, h, w, f // 2)
        call('spatial_gate_forward', SpatialArgs(a=a, gamma=gamma, beta=beta, weight=weight, bias=bias, y=y,
                                                 moments=moments, conv=conv, **ctx.sizes))
        ctx.save_for_backward(a, gamma, beta, weight, bias, moments, conv)
        return y

    @staticmethod
    def backward(ctx, dy):
        a, gamma, beta, weight, bias, moments, conv = ctx.saved_tensors
        da = torch.empty_like(a)
        dgamma, dbeta, dweight, dbias = zeros_like(gamma, beta, weight, bias)
        call('spatial_gate_backward', SpatialArgs(a=a, gamma=gamma, beta=beta, weight=weight, moments=moments,
                                                  conv=conv, dy=dy.contiguous(), da=da, dgamma=dgamma, dbeta=dbeta,
                                                  dweight=dweight, dbias=dbias, **ctx.sizes))
        return da, dgamma, dbeta, dweight, dbias


def spatial_gate(a, norm, weight, bias):
    if a.shape[-1] % 32 or weight.shape[-1] != 5:
        return NotImplemented
    return SpatialGate.apply(a.contiguous(), *norm, weight, bias)


class PositionGate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, u, weight, bias):
        b, h, w, c = u.shape
        ctx.sizes = dict(images=b, h=h, w=w, c=c)
        y, gate = torch.empty_like(u), torch.empty_like(u)
        call('position_gate_forward', PositionArgs(u=u, weight=weight, bias=bias, y=y, gate=gate, **ctx.sizes))
        ctx.save_for_backward(u, weight, bias, gate)
        return y

    @staticmethod
    def backward(ctx, dy):
        u, weight, bias, gate = ctx.saved_tensors
        du = torch.empty_like(u)
        dweight, dbias = zeros_like(weight, bias)
        call('position_gate_backward', PositionArgs(u=u, weight=weight, gate=gate, dy=dy.contiguous(), du=du,
                                                    dweight=dweight, dbias=dbias, **ctx.sizes))
        return du, dweight, dbias


def position_gate(u, weight, bias):
    if u.shape[-1] % 16:
        return NotImplemented
    return PositionGate.apply(u.contiguous(), weight, bias)


class SortedScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx, u, order, prompt, x_proj, dt_weight, dt_bias, a_logs, d):
        b, length, hd = u.shape
        n, rank = a_logs.shape[1], dt_weight.shape[1]
        width = -(-(2 * n + rank) // 16) * 16
        ctx.sizes = dict(images=b, length=length, hd=hd, n=n, rank=rank, width=width)
        y, delta = torch.empty_like(u), torch.empty_like(u)
        rows, states = u.new_empty(b, length, width), u.new_empty(b, -(-length // 32), hd, n)
        weights = [t.contiguous() for t in (x_proj, dt_weight, dt_bias, a_logs, d)]
        names = ('x_proj', 'dt_weight', 'dt_bias', 'a_logs', 'd')
        call('scan_forward', ScanArgs(u=u, order=order, prompt=prompt, y=y, rows=rows, delta=delta, states=states,
                                      **dict(zip(names, weights)), **ctx.sizes))
        ctx.save_for_backward(u, order, prompt, *weights, rows, delta, states)
        return y

    @staticmethod
    def backward(ctx, dy):
        u, order, prompt, x_proj, dt_weight, dt_bias, a_logs, d, rows, delta, states = ctx.saved_tensors
        du, dprompt = torch.empty_like(u), torch.empty_like(prompt)
        dx_proj, ddt_weight, ddt_bias, da_logs, dd = zeros_like(x_proj, dt_weight, dt_bias, a_logs, d)
        call('scan_backward', ScanArgs(u=u, order=order, prompt=prompt, x_proj=x_proj, dt_weight=dt_weight,
                                       dt_bias=dt_bias, a_logs=a_logs, d=d, rows=rows, delta=delta, states=states,
                                       dy=dy.contiguous(), du=du, dprompt=dprompt, dx_proj=dx_proj,
                                       ddt_weight=ddt_weight, ddt_bias=ddt_bias, da_logs=da_logs, dd=dd, **ctx.sizes))
        return du, None, dprompt, dx_proj, ddt_weight, ddt_bias, da_logs, dd


def sorted_scan(u, order, prompt, x_proj, dt_weight, dt_bias, a_logs, d):
    if u.shape[-1] % 16 or a_logs.shape[1] not in (8, 16):
        return NotImplemented
    return SortedScan.apply(u.contiguous(), order, prompt.contiguous(), x_proj, dt_weight, dt_bias, a_logs, d)


def addresses(tensors):
    """An array of pointers."""
    return (ctypes.c_void_p * len(tensors))(*(None if t is None else t.data_ptr() for t in tensors))


class WholeBlock(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, order, prompt, sizes, *weights):
        b, h, w, c = x.shape
        ctx.sizes = dict(sizes, images=b, h=h, w=w, c=c, threads=min(b, torch.get_num_threads()))
        y = torch.empty_like(x)
        args = BlockArgs(x=x, order=order, prompt=prompt, y=y, weights=addresses(weights), **ctx.sizes)
        library().block_saved_floats.restype = ctypes.c_int64
        saved = x.new_empty(b, library().block_saved_floats(ctypes.byref(args)))
        args.saved = saved.data_ptr()
        call('block_forward', args)
        ctx.save_for_backward(x, order, prompt, saved, *weights)
        return y

    @staticmethod
    def backward(ctx, dy):
        x, order, prompt, saved, *weights = ctx.saved_tensors
        dx, dprompt = torch.empty_like(x), torch.empty_like(prompt)
        counts = [t.numel() for t in weights]
        flat = x.new_zeros(ctx.sizes['threads'], sum(counts))  # every thread adds to gradients of its own
        call('block_backward', BlockArgs(x=x, order=order, prompt=prompt, saved=saved, dy=dy.contiguous(), dx=dx,
                                         dprompt=dprompt, weights=addresses(weights),
                                         grads=addresses(flat[0].split(counts)), grad_floats=sum(counts), **ctx.sizes))
        grads = [g.view(t.shape) for g, t in zip(flat.sum(0).split(counts), weights)]
        return dx, None, dprompt, None, *grads


def whole_block(x, order, prompt, weights, heads, ws, shift):
    """A light block in one call, weights by their names inside it. NotImplemented where a piece does not apply."""
    a_logs, f = weights['assm.selectiveScan.A_logs'], weights['convffn1.fc1.weight'].shape[0]
    c, (hd, n), rank = x.shape[-1], a_logs.shape, weights['assm.selectiveScan.dt_projs_weight'].shape[2]
    if (c % 16 or f % 32 or hd % 16 or n not in (8, 16) or ws * ws % 16 or c // heads not in (4, 8, 12, 16)
            or 'wqkv.bias' not in weights):
        return NotImplemented
    sizes = dict(heads=heads, ws=ws, shift=shift, f=f, hd=hd, n=n, rank=rank, width=-(-(2 * n + rank) // 16) * 16)
    return WholeBlock.apply(x.contiguous(), order, prompt.contiguous(), sizes, *(weights[k] for k in BLOCK_WEIGHTS))

"""The network's operations in plain PyTorch: slow, obviously right, any dtype and any shape.

Tokens are kept as [B, H, W, C]. The native operations (native.py) must give the same values and gradients.
"""
import torch
import torch.nn.functional as F


def linear(x, weight, bias, norm=None, gelu=False, residual=None, scale=None, skip=None):
    """act(LN(x) Wᵀ + b) + residual + scale ⊙ skip over the last axis; every piece but the product is optional.

    norm: (weight, bias) of a LayerNorm with eps 1e-5, or None.
    """
    if norm is not None:
        x = F.layer_norm(x, x.shape[-1:], *norm)
    y = F.linear(x, weight, bias)
    if gelu:
        y = F.gelu(y)
    if residual is not None:
        y = y + residual
    return y if skip is None else y + scale * skip


def window_partition(x, ws):
    """[B, H, W, C] -> [B * windows, ws * ws, C], windows in raster order."""
    b, h, w, c = x.shape
    x = x.view(b, h // ws, ws, w // ws, ws, c).permute(0, 1, 3, 2, 4, 5)
    return x.reshape(-1, ws * ws, c)


def window_merge(x, ws, b, h, w):
    """The inverse of window_partition."""
    x = x.view(b, h // ws, w // ws, ws, ws, -1).permute(0, 1, 3, 2, 4, 5)
    return x.reshape(b, h, w, -1)


def relative_position_index(ws):
    """[ws², ws²]: the row of the position bias table for (query, key)."""
    y, x = torch.meshgrid(torch.arange(ws), torch.arange(ws), indexing='ij')
    y, x = y.flatten(), x.flatten()
    return (y[:, None] - y[None] + ws - 1) * (2 * ws - 1) + (x[:, None] - x[None] + ws - 1)


def shift_mask(h, w, ws, shift, like):
    """[windows, ws², ws²]: -100 between tokens that met only because of the cyclic shift."""
    def labels(n):
        r = torch.arange(n)
        return (r >= n - ws).long() + (r >= n - shift).long()
    label = 3 * labels(h)[:, None] + labels(w)[None]
    label = window_partition(label.view(1, h, w, 1), ws).squeeze(-1)
    return ((label[:, :, None] != label[:, None]) * -100.0).to(like)


def window_attention(qkv, table, heads, ws, shift):
    """Softmax attention inside (shifted) windows. qkv [B, H, W, 3C], table [(2ws-1)², heads] -> [B, H, W, C]."""
    b, h, w, c3 = qkv.shape
    c = c3 // 3
    if shift:
        qkv = qkv.roll((-shift, -shift), (1, 2))
    q, k, v = window_partition(qkv, ws).view(-1, ws * ws, 3, heads, c // heads).permute(2, 0, 3, 1, 4)
    score = (q * (c // heads) ** -0.5) @ k.transpose(-2, -1)
    score = score + table[relative_position_index(ws).to(table.device)].permute(2, 0, 1)
    if shift:
        mask = shift_mask(h, w, ws, shift, score)
        score = (score.view(b, -1, heads, ws * ws, ws * ws) + mask[None, :, None]).view(score.shape)
    out = (score.softmax(-1) @ v).transpose(1, 2).reshape(-1, ws * ws, c)
    out = window_merge(out, ws, b, h, w)
    return out.roll((shift, shift), (1, 2)) if shift else out


def depthwise(x, weight, bias):
    """Depth-wise k x k convolution, zero padded, of tokens [B, H, W, C]."""
    y = F.conv2d(x.permute(0, 3, 1, 2), weight, bias, padding=weight.shape[-1] // 2, groups=weight.shape[0])
    return y.permute(0, 2, 3, 1)


def spatial_gate(a, norm, weight, bias):
    """a1 ⊙ dw(LN(a2)) for a = (a1 | a2), [B, H, W, F] -> [B, H, W, F / 2]."""
    a1, a2 = a.chunk(2, -1)
    return a1 * depthwise(F.layer_norm(a2, a2.shape[-1:], *norm), weight, bias)


def position_gate(u, weight, bias):
    """u ⊙ sigmoid(dw(u)), the conditional position encoding of ASSM. [B, H, W, Hd]."""
    return u * torch.sigmoid(depthwise(u, weight, bias))


def sorted_scan(u, order, prompt, x_proj, dt_weight, dt_bias, a_logs, d):
    """The attentive state space scan: gather u in the given order, project, scan, scatter back.

    u [B, L, Hd]; order [B, L] (raster position of each step); prompt [B, L, N], added to C at the *step*, not
    permuted (this is how the official network computes). x_proj [R + 2N, Hd], dt_weight [Hd, R], dt_bias and d
    [Hd], a_logs [Hd, N]. Returns [B, L, Hd] in raster order.
    """
    n, rank = a_logs.shape[1], dt_weight.shape[1]
    index = order.long()[..., None].expand(u.shape)
    us = u.gather(1, index)
    dt, bm, cm = (us @ x_proj.t()).split([rank, n, n], -1)
    cm = cm + prompt
    delta = F.softplus(dt @ dt_weight.t() + dt_bias)
    decay = torch.exp(delta[..., None] * -torch.exp(a_logs))
    drive = (delta * us)[..., None] * bm[:, :, None]
    state, steps = torch.zeros_like(drive[:, 0]), []
    for t in range(u.shape[1]):
        state = decay[:, t] * state + drive[:, t]
        steps.append((state * cm[:, t, None]).sum(-1))
    y = torch.stack(steps, 1) + d * us
    return torch.zeros_like(y).scatter(1, index, y)

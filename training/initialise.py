"""How a network starts: random blocks around bicubic interpolation, or around another model."""
import math

import numpy as np
import torch
from torch import nn

from . import safetensors


def initialise(net, std=0.1):
    """Random start of the blocks, and a network that is bicubic interpolation (or the identity) plus little.

    Channels 0..2 of conv_first carry the picture, the direct head reads them with the bicubic phases. The learned
    part starts at a tenth of its usual size. Keys and shapes stay official.
    """
    cfg = net.cfg
    for m in net.modules():
        if isinstance(m, nn.Linear):
            nn.init.trunc_normal_(m.weight, std=std, a=-2 * std, b=2 * std)
            if m.bias is not None:
                nn.init.zeros_(m.bias)
    for block in (b for group in net.layers for b in group.residual_group.layers):
        init_block(block, cfg)
    with torch.no_grad():
        for p in net.conv_after_body.parameters():
            p.mul_(0.1)
        if cfg['upsampler'] == '':
            nn.init.zeros_(net.conv_last.weight)
            nn.init.zeros_(net.conv_last.bias)
        elif cfg['upsampler'] == 'pixelshuffledirect':
            init_bicubic(net)


def init_block(block, cfg):
    scan, n = block.assm.selectiveScan, cfg['d_state']
    rank = scan.dt_projs_weight.shape[2]
    nn.init.trunc_normal_(block.win_mhsa.relative_position_bias_table, std=0.02)
    nn.init.uniform_(block.embeddingA.weight, -1 / cfg['inner_rank'], 1 / cfg['inner_rank'])
    nn.init.uniform_(block.assm.embeddingB.weight, -1 / cfg['num_tokens'], 1 / cfg['num_tokens'])
    nn.init.zeros_(block.assm.route[2].weight)  # logits 0: seeded routing draws the uniform classes of the training
    nn.init.uniform_(scan.x_proj_weight, -scan.x_proj_weight.shape[2] ** -0.5, scan.x_proj_weight.shape[2] ** -0.5)
    nn.init.uniform_(scan.dt_projs_weight, -rank ** -0.5, rank ** -0.5)
    with torch.no_grad():
        dt = torch.exp(torch.empty_like(scan.dt_projs_bias).uniform_(-6.9078, -2.3026))  # 0.001 .. 0.1
        scan.dt_projs_bias.copy_(dt + torch.log(-torch.expm1(-dt)))                      # inverse softplus
        scan.A_logs.copy_(torch.log(torch.arange(1, n + 1.0)).expand_as(scan.A_logs))


def bicubic_phases(s):
    """[s, 3]: weights of the samples -1, 0, 1 for the s output phases (Keys, a = -0.5, outer taps folded in)."""
    def keys(x):
        x = abs(x)
        if x <= 1:
            return 1.5 * x ** 3 - 2.5 * x ** 2 + 1
        return -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2 if x <= 2 else 0
    rows = [[keys((i + 0.5) / s - 0.5 - tap) for tap in (-1, 0, 1)] for i in range(s)]
    return [[v / sum(row) for v in row] for row in rows]


def init_bicubic(net):
    ch, s = net.cfg['in_chans'], net.cfg['upscale']
    first, last = net.conv_first, net.upsample[0]
    phases = torch.tensor(bicubic_phases(s))
    first.weight[:ch] = 0
    first.bias[:ch] = 0
    last.weight.mul_(0.1)
    last.bias.zero_()
    last.weight[:, :ch] = 0
    for k in range(ch):
        first.weight[k, k, 1, 1] = 1
        last.weight[k * s * s:(k + 1) * s * s, k] = torch.einsum('iy,jx->ijyx', phases, phases).reshape(s * s, 3, 3)


def wake_routers(net, std=0.3):
    """Give routers that are at zero something to begin with: at zero the reward of routing has no gradient."""
    for block in (b for group in net.layers for b in group.residual_group.layers):
        last = block.assm.route[2].weight
        if not last.any():
            nn.init.normal_(last, std=std)


def warm_start(net, path):
    """Start from the weights of another model.

    A head of another scale is interpolated from its output phases; where classes or attention heads are fewer, the
    prompts of classes become their mean, and neighbouring heads one, whose bias is the sum of theirs.
    """
    arrays, _ = safetensors.load(path)
    given = {k: torch.from_numpy(v.astype(np.float32)) for k, v in arrays.items()}
    own, head = net.state_dict(), 'upsample.0.weight'
    if head in own and own[head].shape != given[head].shape:
        for key in (head, 'upsample.0.bias'):
            given[key] = other_scale(given[key], net.cfg['in_chans'], net.cfg['upscale'])
    for key, value in given.items():
        if key.endswith('relative_position_bias_table'):
            given[key] = value.view(len(value), own[key].shape[1], -1).sum(2)
        elif key.endswith('embeddingB.weight') and len(own[key]) == 1:
            given[key] = value.mean(0, keepdim=True)
    net.load_state_dict({k: v for k, v in given.items() if k in own and own[k].shape == v.shape}, strict=False)


def other_scale(weight, channels, scale):
    """Weights of a direct head [ch·s², ...] for another scale: linear in the position of the output phase."""
    old = weight.view(channels, -1, *weight.shape[1:])
    s = math.isqrt(old.shape[1])
    matrix = torch.zeros(scale, s)
    for i in range(scale):
        at = (i + 0.5) / scale * s - 0.5
        low = min(max(math.floor(at), 0), s - 2)
        matrix[i, low], matrix[i, low + 1] = low + 1 - at, at - low
    old = old.view(channels, s, s, -1)
    new = torch.einsum('iy,jx,kyxr->kijr', matrix, matrix, old)
    return new.reshape(-1, *weight.shape[1:])


@torch.no_grad()
def tie_decays(net):
    """Make the decay rates of every channel 1, 2, ... N times one rate again, as they are at the start (S4D-real).

    All decays of a step are then powers of one exponential. The engine sees that in the weights and saves the others.
    """
    for block in (b for group in net.layers for b in group.residual_group.layers):
        logs = block.assm.selectiveScan.A_logs
        steps = torch.arange(1, logs.shape[1] + 1.0, device=logs.device).log()
        logs.copy_((logs - steps).mean(1, keepdim=True) + steps)

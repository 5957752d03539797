"""MambaIRv2 and MambaIRv2Light with the official key names, so that checkpoints load both ways.

Formulas: the MambaIRv2 paper (attentive state space equation, semantic guided neighbouring) and its official code.
"""
import torch
import torch.nn.functional as F
from torch import nn

from . import ops
from .noise import gumbel_noise

MEAN = (0.4488, 0.4371, 0.4040)


class Group(nn.Module):
    """A bag of named parts: keeps the official nesting of keys without a forward of its own."""

    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)


def depthwise_conv(channels, kernel):
    return nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)


class Block(nn.Module):
    """One attentive layer: window attention, feed-forward, attentive state space module, feed-forward."""

    def __init__(self, c, heads, shift, cfg):
        super().__init__()
        hidden = int(c * cfg['mlp_ratio'])
        n, rank, tokens = cfg['d_state'], -(-hidden // 16), cfg['num_tokens']
        self.heads, self.shift, self.ws = heads, shift, cfg['window_size']
        self.light, self.tokens, self.by_name = cfg['light'], tokens, None
        self.norm1, self.norm2, self.norm3, self.norm4 = (nn.LayerNorm(c) for _ in range(4))
        self.scale1, self.scale2 = (nn.Parameter(1e-4 * torch.ones(c)) for _ in range(2))
        self.wqkv = nn.Linear(c, 3 * c, bias=cfg['qkv_bias'])
        self.win_mhsa = Group(
            relative_position_bias_table=nn.Parameter(torch.zeros((2 * self.ws - 1) ** 2, heads)),
            proj=nn.Linear(c, c))
        self.convffn1, self.convffn2 = (self.feed_forward(c, hidden, cfg) for _ in range(2))
        self.embeddingA = nn.Embedding(cfg['inner_rank'], n)
        self.assm = Group(
            in_proj=nn.Sequential(nn.Conv2d(c, hidden, 1)),
            CPE=nn.Sequential(depthwise_conv(hidden, 3)),
            route=nn.Sequential(nn.Linear(c, c // 3), nn.GELU(), nn.Linear(c // 3, tokens)),
            embeddingB=nn.Embedding(tokens, cfg['inner_rank']),
            selectiveScan=Group(
                x_proj_weight=nn.Parameter(torch.zeros(1, rank + 2 * n, hidden)),
                dt_projs_weight=nn.Parameter(torch.zeros(1, hidden, rank)),
                dt_projs_bias=nn.Parameter(torch.zeros(1, hidden)),
                A_logs=nn.Parameter(torch.zeros(hidden, n)),
                Ds=nn.Parameter(torch.ones(hidden))),
            out_norm=nn.LayerNorm(hidden),
            out_proj=nn.Linear(hidden, c))

    @staticmethod
    def feed_forward(c, hidden, cfg):
        if cfg['light']:
            gate = Group(norm=nn.LayerNorm(hidden // 2), conv=depthwise_conv(hidden // 2, 5))
            return Group(fc1=nn.Linear(c, hidden), sg=gate, fc2=nn.Linear(hidden // 2, c))
        conv = depthwise_conv(hidden, cfg['convffn_kernel_size'])
        return Group(fc1=nn.Linear(c, hidden), dwconv=Group(depthwise_conv=nn.Sequential(conv)),
                     fc2=nn.Linear(hidden, c))

    def ffn(self, ff, norm, x, scale, skip):
        """x + scale ⊙ skip + feed-forward(LN(x))."""
        a = ops.linear(x, ff.fc1.weight, ff.fc1.bias, norm=(norm.weight, norm.bias), gelu=True)
        if self.light:
            conv = ff.sg.conv
            a = ops.spatial_gate(a, (ff.sg.norm.weight, ff.sg.norm.bias), conv.weight, conv.bias)
        else:
            conv = ff.dwconv.depthwise_conv[0]
            a = a + F.gelu(ops.depthwise(a, conv.weight, conv.bias))
        return ops.linear(a, ff.fc2.weight, ff.fc2.bias, residual=x, scale=scale, skip=skip)

    def route(self, mid, routing, number):
        """The class of every pixel and the prompt that goes with it: ([B, L] int64, [B, L, N])."""
        b, h, w, c = mid.shape
        prompts = self.assm.embeddingB.weight @ self.embeddingA.weight
        if routing.kind == 'random':
            cls = routing.random_classes(self.tokens, (b, h * w)).to(mid.device)
        elif routing.kind == 'forced':
            cls = routing.classes[number].long()
        else:
            x = F.layer_norm(mid.reshape(b, h * w, c), (c,), self.norm3.weight, self.norm3.bias)
            logits = self.assm.route(x).log_softmax(-1)
            if routing.kind == 'train':
                routing.reward = routing.reward + routing_by_content(logits)
                policy = F.gumbel_softmax(logits, tau=routing.temperature, hard=True)
                return policy.argmax(-1), policy @ prompts
            cls = (logits + routing.noise(number, h, w, self.tokens, logits)).argmax(-1)
        return cls, F.embedding(cls, prompts)

    def weights(self):
        """Parameters by name; collected once, because walking the modules takes as long as an operation."""
        if self.by_name is None:
            self.by_name = dict(self.named_parameters())
        return self.by_name

    def forward(self, x, routing, number):
        b, h, w, _ = x.shape
        if self.light and routing.kind in ('random', 'forced') and ops.native.applies(x):  # classes known beforehand
            cls, prompt = self.route(x, routing, number)
            y = ops.native.whole_block(x, ops.class_order(cls), prompt, self.weights(), self.heads, self.ws, self.shift)
            if y is not NotImplemented:
                return y
        qkv = ops.linear(x, self.wqkv.weight, self.wqkv.bias, norm=(self.norm1.weight, self.norm1.bias))
        table, proj = self.win_mhsa.relative_position_bias_table, self.win_mhsa.proj
        attention = ops.window_attention(qkv, table, self.heads, self.ws, self.shift)
        x_win = ops.linear(attention, proj.weight, proj.bias, residual=x)
        mid = self.ffn(self.convffn1, self.norm2, x_win, self.scale1, x)

        assm, scan = self.assm, self.assm.selectiveScan
        u = ops.linear(mid, assm.in_proj[0].weight.flatten(1), assm.in_proj[0].bias,
                       norm=(self.norm3.weight, self.norm3.bias))
        u = ops.position_gate(u, assm.CPE[0].weight, assm.CPE[0].bias)
        cls, prompt = self.route(mid, routing, number)
        y = ops.sorted_scan(u.view(b, h * w, -1), ops.class_order(cls), prompt, scan.x_proj_weight[0],
                            scan.dt_projs_weight[0], scan.dt_projs_bias[0], scan.A_logs, scan.Ds)
        a = ops.linear(y.view(b, h, w, -1), assm.out_proj.weight, assm.out_proj.bias,
                       norm=(assm.out_norm.weight, assm.out_norm.bias), residual=mid)
        return self.ffn(self.convffn2, self.norm4, a, self.scale2, mid)


def routing_by_content(logits):
    """How much the class says about the pixel, in nats (the mutual information): all classes used alike, each pixel
    sure of its own. 0 for a uniform router; log T at best. logits: normalised, [B, L, T]."""
    p = logits.exp()
    mean = p.mean((0, 1))
    return (p * logits).sum(-1).mean() - (mean * (mean + 1e-9).log()).sum()


class Routing:
    """How pixels get their class. kind: random (uniform), train (Gumbel soft-max with gradient), argmax, seeded,
    noise (given tensors, one per block) or forced (given classes, one per block). With train, `reward` sums
    routing_by_content over the blocks."""

    def __init__(self, kind, seed=0, generator=None, noises=None, classes=None, temperature=1):
        self.kind, self.seed, self.generator, self.noises, self.classes = kind, seed, generator, noises, classes
        self.temperature, self.reward = temperature, 0

    def random_classes(self, tokens, shape):
        return torch.randint(tokens, shape, generator=self.generator)

    def noise(self, number, h, w, tokens, like):
        if self.kind == 'argmax':
            return 0
        if self.kind == 'noise':
            return self.noises[number].to(like)
        return torch.from_numpy(gumbel_noise(self.seed, number, h, w, tokens)).to(like)


def conv3(c_in, c_out, kind='1conv'):
    """The convolution that closes a group: one 3x3, or the 3conv bottleneck."""
    if kind == '1conv':
        return nn.Conv2d(c_in, c_out, 3, padding=1)
    narrow = c_in // 4
    return nn.Sequential(nn.Conv2d(c_in, narrow, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(narrow, narrow, 1),
                         nn.LeakyReLU(0.2), nn.Conv2d(narrow, c_out, 3, padding=1))


DEFAULTS = dict(light=True, in_chans=3, embed_dim=32, depths=[3, 3], num_heads=[4, 4], window_size=8, d_state=8,
                inner_rank=16, num_tokens=32, mlp_ratio=1.0, qkv_bias=True, convffn_kernel_size=5, img_range=1.0,
                resi_connection='1conv', upsampler='pixelshuffledirect', upscale=2, num_feat=64)


class MambaIRv2(nn.Module):
    """The whole network; cfg as in DEFAULTS. Input [B, ch, h, w] in [0, 1]; output [B, ch, h·s, w·s], not clamped."""

    def __init__(self, **cfg):
        super().__init__()
        self.cfg = cfg = {**DEFAULTS, **cfg}
        c, ch, s, nf = cfg['embed_dim'], cfg['in_chans'], cfg['upscale'], cfg['num_feat']
        self.conv_first = nn.Conv2d(ch, c, 3, padding=1)
        self.patch_embed = Group(norm=nn.LayerNorm(c))
        self.layers = nn.ModuleList()
        for depth, heads in zip(cfg['depths'], cfg['num_heads']):
            blocks = [Block(c, heads, cfg['window_size'] // 2 * (j % 2), cfg) for j in range(depth)]
            self.layers.append(Group(residual_group=Group(layers=nn.ModuleList(blocks)),
                                     conv=conv3(c, c, cfg['resi_connection'])))
        self.norm = nn.LayerNorm(c)
        self.conv_after_body = conv3(c, c, cfg['resi_connection'])
        head = cfg['upsampler']
        if head == 'pixelshuffledirect':
            self.upsample = nn.Sequential(nn.Conv2d(c, s * s * ch, 3, padding=1), nn.PixelShuffle(s))
        elif head == 'pixelshuffle':
            self.conv_before_upsample = nn.Sequential(nn.Conv2d(c, nf, 3, padding=1), nn.LeakyReLU())
            steps = [3] if s == 3 else [2] * (s.bit_length() - 1)
            self.upsample = nn.Sequential(*(layer for r in steps for layer in
                                            (nn.Conv2d(nf, r * r * nf, 3, padding=1), nn.PixelShuffle(r))))
            self.conv_last = nn.Conv2d(nf, ch, 3, padding=1)
        elif head == 'nearest+conv':
            self.conv_before_upsample = nn.Sequential(nn.Conv2d(c, nf, 3, padding=1), nn.LeakyReLU())
            self.conv_up1, self.conv_up2, self.conv_hr = (nn.Conv2d(nf, nf, 3, padding=1) for _ in range(3))
            self.conv_last = nn.Conv2d(nf, ch, 3, padding=1)
        else:
            self.conv_last = nn.Conv2d(c, ch, 3, padding=1)

    def head(self, r, x):
        """Features to image; x is the network's normalised input, which the restoration head adds."""
        kind = self.cfg['upsampler']
        if kind == 'pixelshuffledirect':
            return self.upsample(r)
        if kind == '':
            return x + self.conv_last(r)
        r = self.conv_before_upsample(r)
        if kind == 'pixelshuffle':
            return self.conv_last(self.upsample(r))
        for conv in (self.conv_up1, self.conv_up2):
            r = F.leaky_relu(conv(F.interpolate(r, scale_factor=2)), 0.2)
        return self.conv_last(F.leaky_relu(self.conv_hr(r), 0.2))

    def forward(self, image, routing):
        h, w = image.shape[2:]
        s, ws, img_range = self.cfg['upscale'], self.cfg['window_size'], self.cfg['img_range']
        mean = image.new_tensor(MEAN, dtype=torch.float32).to(image) if image.shape[1] == 3 else image.new_zeros(1)
        x = (mirror_pad(image, ws) - mean.view(-1, 1, 1)) * img_range
        x = x.contiguous(memory_format=torch.channels_last)
        first = self.conv_first(x)
        t = layer_norm(tokens(first), self.patch_embed.norm)
        number = 0
        for group in self.layers:
            start = t
            for block in group.residual_group.layers:
                t = block(t, routing, number)
                number += 1
            t = tokens(group.conv(image_of(t))) + start
        r = self.conv_after_body(image_of(layer_norm(t, self.norm))) + first
        y = self.head(r, x) / img_range + mean.view(-1, 1, 1)
        return y[:, :, :h * s, :w * s]


def layer_norm(t, norm):
    return F.layer_norm(t, t.shape[-1:], norm.weight, norm.bias)


def tokens(x):
    """[B, C, H, W] -> contiguous [B, H, W, C]; free when x is channels-last."""
    return x.permute(0, 2, 3, 1).contiguous()


def image_of(t):
    """[B, H, W, C] -> a channels-last view [B, C, H, W]."""
    return t.permute(0, 3, 1, 2)


def mirror_pad(x, ws):
    """Pad bottom and right to multiples of ws by continued mirroring with the edge repeated."""
    for axis in (2, 3):
        n = x.shape[axis]
        m = torch.arange(-(-n // ws) * ws, device=x.device) % (2 * n)
        if len(m) > n:
            x = x.index_select(axis, torch.where(m < n, m, 2 * n - 1 - m))
    return x


def config_of(state):
    """The configuration of a state dictionary, from keys and shapes alone (img_range is not recoverable)."""
    block = 'layers.0.residual_group.layers.0.'
    shape = {k: tuple(v.shape) for k, v in state.items()}
    depths = []
    while f'layers.{len(depths)}.residual_group.layers.0.scale1' in shape:
        i = len(depths)
        depths.append(sum(f'layers.{i}.residual_group.layers.{j}.scale1' in shape for j in range(1000)))
    tables = [shape[f'layers.{i}.residual_group.layers.0.win_mhsa.relative_position_bias_table'] for i in
              range(len(depths))]
    c, ch = shape['conv_first.weight'][:2]
    hidden, n = shape[block + 'assm.selectiveScan.A_logs']
    cfg = dict(light=block + 'convffn1.sg.conv.weight' in shape, in_chans=ch, embed_dim=c, depths=depths,
               num_heads=[t[1] for t in tables], window_size=(int(round(tables[0][0] ** 0.5)) + 1) // 2, d_state=n,
               num_tokens=shape[block + 'assm.embeddingB.weight'][0], mlp_ratio=(hidden + 0.5) / c,
               inner_rank=shape[block + 'assm.embeddingB.weight'][1], qkv_bias=block + 'wqkv.bias' in shape,
               resi_connection='3conv' if 'conv_after_body.0.weight' in shape else '1conv')
    if not cfg['light']:
        cfg['convffn_kernel_size'] = shape[block + 'convffn1.dwconv.depthwise_conv.0.weight'][2]
    up = [k for k in shape if k.startswith('upsample.') and k.endswith('.weight')]
    if 'conv_up1.weight' in shape:
        cfg.update(upsampler='nearest+conv', upscale=4, num_feat=shape['conv_last.weight'][1])
    elif 'conv_before_upsample.0.weight' in shape:
        nf = shape['conv_last.weight'][1]
        triple = shape['upsample.0.weight'][0] == 9 * nf
        cfg.update(upsampler='pixelshuffle', upscale=3 if triple else 2 ** len(up), num_feat=nf)
    elif up:
        scale = int(round((shape['upsample.0.weight'][0] / ch) ** 0.5))
        cfg.update(upsampler='pixelshuffledirect', upscale=scale)
    else:
        cfg.update(upsampler='', upscale=1)
    return cfg


def load_model(state, **overrides):
    """A network with the given weights; the redundant index buffer of official files is ignored."""
    state = {k: v for k, v in state.items() if k != 'relative_position_index_SA'}
    net = MambaIRv2(**{**config_of(state), **overrides})
    net.load_state_dict(state)
    return net

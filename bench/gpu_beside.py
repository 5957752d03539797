"""PyTorch on the GPU that the engine runs on: one scan, and the reference job.

    npm run build && python3 bench/gpu_beside.py          # on CUDA, then `npm run bench -- gpu`, in one table
    python3 bench/gpu_beside.py check                     # the values only; small, runs on a CPU too

Scans: `official` is the official CUDA kernel's algorithm in Triton (a block for a channel walks the sequence, a parallel scan
inside each piece of it, the states carried from piece to piece; softplus and skip inside); `chunked` is plain PyTorch, parallel over chunks.
The scan takes its time steps, B and C ready made and in order, as the official kernel does, while the engine's computes, gathers and
scatters them itself. The network is training's, in float32 and without TF32, argmax routing, with each of the scans, eager
and as a CUDA graph. Medians of 20 runs after 3, by CUDA events.

Not yet run on CUDA: no such machine was at hand, so no time of it is known, and CUDA graphs and this table were never seen. The
values of both scans were checked on a CPU, the Triton kernel's by its interpreter (TRITON_INTERPRET=1; Triton 3.6).
"""
import functools
import os
import re
import statistics
import subprocess
import sys
import warnings

import torch
import torch.nn.functional as F

root = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
sys.path.insert(0, root)
from training import model, ops  # noqa: E402
from training.initialise import initialise  # noqa: E402

try:
    import triton
    import triton.language as tl
except ImportError:
    triton = None

on_cuda = torch.cuda.is_available()
device = 'cuda' if on_cuda else 'cpu'

if triton is not None:
    @triton.jit
    def combine(decay1, sum1, decay2, sum2):
        return decay1 * decay2, decay2 * sum1 + sum2

    @triton.jit
    def official_kernel(u, dt, a, b, c, d, y, length, channels, N: tl.constexpr, STEPS: tl.constexpr):
        """u, dt, y [B, D, L]; a [D, N]; b, c [B, N, L]; d [D]. A program for each of B · D."""
        number = tl.program_id(0)
        channel = number % channels
        row, shared = number * length, number // channels * N * length
        steps, states = tl.arange(0, STEPS), tl.arange(0, N)
        rate, skip = tl.load(a + channel * N + states), tl.load(d + channel)
        h = tl.zeros([N], tl.float32)
        for first in range(0, length, STEPS):
            t = first + steps
            inside = t < length
            x = tl.load(u + row + t, mask=inside, other=0.0)
            raw = tl.load(dt + row + t, mask=inside, other=-1e9)
            delta = tl.where(raw > 20.0, raw, tl.log(1.0 + tl.exp(tl.minimum(raw, 20.0))))
            place = shared + states[None, :] * length + t[:, None]
            bm = tl.load(b + place, mask=inside[:, None], other=0.0)
            cm = tl.load(c + place, mask=inside[:, None], other=0.0)
            decay, drive = tl.exp(delta[:, None] * rate[None, :]), (delta * x)[:, None] * bm
            decays, sums = tl.associative_scan((decay, drive), 0, combine)
            sums += decays * h[None, :]
            h = tl.sum(tl.where(steps[:, None] == STEPS - 1, sums, 0.0), 0)
            tl.store(y + row + t, tl.sum(sums * cm, 1) + skip * x, mask=inside)


def official(u, dt, a, b, c, d):
    """All scans here: u and dt (before softplus) [B, D, L], a [D, N], b and c [B, N, L], d [D] -> [B, D, L]."""
    y = torch.empty_like(u)
    batch, channels, length = u.shape
    official_kernel[(batch * channels,)](u, dt, a, b, c, d, y, length, channels, N=a.shape[1], STEPS=256, num_warps=4)
    return y


def chunked(u, dt, a, b, c, d, steps=64):
    """Chunks of `steps`, all at once and each from zero; the states between them by doubling; once more from those."""
    length = u.shape[2]
    chunks = -(-length // steps)

    def cut(x):  # [B, D, L] -> [steps, B, chunks, D]
        return F.pad(x, (0, chunks * steps - length)).unflatten(2, (chunks, steps)).permute(3, 0, 2, 1).contiguous()
    delta = cut(F.softplus(dt))  # zero behind the end: nothing decays, nothing enters
    drive, bs, cs = delta * cut(u), cut(b), cut(c)
    state = drive.new_zeros(*drive.shape[1:], a.shape[1])
    for t in range(steps):
        state = torch.exp(delta[t, ..., None] * a) * state + drive[t, ..., None] * bs[t, :, :, None]
    decay = torch.exp(delta.sum(0)[..., None] * a)
    reach = 1
    while reach < chunks:
        state = torch.cat([state[:, :reach], state[:, reach:] + decay[:, reach:] * state[:, :-reach]], 1)
        decay = torch.cat([decay[:, :reach], decay[:, reach:] * decay[:, :-reach]], 1)
        reach *= 2
    state = torch.cat([torch.zeros_like(state[:, :1]), state[:, :-1]], 1)
    out = []
    for t in range(steps):
        state = torch.exp(delta[t, ..., None] * a) * state + drive[t, ..., None] * bs[t, :, :, None]
        out.append((state * cs[t, :, :, None]).sum(-1))
    y = torch.stack(out).permute(1, 3, 2, 0).flatten(2)[:, :, :length]
    return y + d[:, None] * u


def serial(u, dt, a, b, c, d):
    delta = F.softplus(dt)
    state, out = u.new_zeros(*u.shape[:2], a.shape[1]), []
    for t in range(u.shape[2]):
        state = torch.exp(delta[:, :, t, None] * a) * state + (delta * u)[:, :, t, None] * b[:, None, :, t]
        out.append((state * c[:, None, :, t]).sum(-1))
    return torch.stack(out, 2) + d[:, None] * u


def sorted_by(scan):
    """ops.sorted_scan with another scan in it; it moves the channels first and back, as the official code does."""
    def sorted_scan(u, order, prompt, x_proj, dt_weight, dt_bias, a_logs, d):
        n, rank = a_logs.shape[1], dt_weight.shape[1]
        index = order.long()[..., None].expand(u.shape)
        us = u.gather(1, index)
        low, b, c = (us @ x_proj.t()).split([rank, n, n], -1)
        first = [x.transpose(1, 2).contiguous() for x in (us, low @ dt_weight.t() + dt_bias, b, c + prompt)]
        y = scan(first[0], first[1], -torch.exp(a_logs), first[2], first[3], d).transpose(1, 2)
        return torch.zeros_like(u).scatter(1, index, y)
    return sorted_scan


def use_plain_operations():
    """PyTorch's own; what the official code computes once for all is kept here, too."""
    ops.native.applies = lambda x: False
    model.MEAN = torch.tensor(model.MEAN, device=device)  # a CUDA graph takes nothing from the CPU
    warnings.filterwarnings('ignore', message='To copy construct from a tensor')
    index, mask = ops.reference.relative_position_index, ops.reference.shift_mask
    ops.reference.relative_position_index = functools.lru_cache(None)(lambda ws: index(ws).to(device))
    kept = {}

    def shift_mask(h, w, ws, shift, like):
        key = h, w, ws, shift, like.dtype
        kept[key] = kept[key] if key in kept else mask(h, w, ws, shift, like)
        return kept[key]
    ops.reference.shift_mask = shift_mask


def scan_inputs(length, channels, states, dtype=torch.float32):
    torch.manual_seed(0)
    u, b, c = (torch.rand(1, rows, length, dtype=dtype) - 0.5 for rows in (channels, states, states))
    dt = torch.log(torch.expm1(torch.exp(torch.empty(1, channels, length, dtype=dtype).uniform_(-6.9, -2.3))))
    a = -(torch.arange(states, dtype=dtype) + 0.5 + torch.rand(channels, states, dtype=dtype))
    return [x.to(device) for x in (u, dt, a, b, c, torch.ones(channels, dtype=dtype))]


def light_x4(dtype=torch.float32):
    torch.manual_seed(0)
    net = model.MambaIRv2(embed_dim=48, depths=[5] * 4, num_heads=[4] * 4, window_size=16, inner_rank=32, num_tokens=64,
                          upscale=4)
    initialise(net)
    return net.to(device, dtype)


def check(scans):
    """Every scan alone and in the network, beside the serial one in float64. Normalised mean square errors."""
    def error(found, wanted):
        return (((found.double() - wanted) ** 2).sum() / (wanted ** 2).sum()).item()
    worst = {name: 0 for name in scans}
    for length in (1, 63, 64, 65, 1000):
        inputs = scan_inputs(length, 5, 16, torch.float64)
        wanted = serial(*inputs)
        for name, scan in scans.items():
            worst[name] = max(worst[name], error(scan(*(x.float() for x in inputs)), wanted))
    for name, value in worst.items():
        print(f'{name}: {value:.1e} from float64 (normalised mean square error)')
    with torch.no_grad():
        image = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(device)
        generators = [torch.Generator().manual_seed(number) for number in range(20)]
        classes = [torch.randint(64, (1, 32 * 32), generator=each).to(device) for each in generators]
        ops.sorted_scan = sorted_by(serial)
        wanted = light_x4(torch.float64)(image, model.Routing('forced', classes=classes))
        for name, scan in scans.items():
            if name == 'official' and not on_cuda:
                continue  # an interpreter would take hours
            ops.sorted_scan = sorted_by(scan)
            value = error(light_x4()(image.float(), model.Routing('forced', classes=classes)), wanted)
            worst[name] = max(worst[name], value)
            print(f'the network with {name}: {value:.1e}')
    if not all(value <= 1e-10 for value in worst.values()):
        sys.exit('a scan is wrong')


def milliseconds(run):
    times = []
    for number in range(23):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        run()
        end.record()
        torch.cuda.synchronize()
        times += [begin.elapsed_time(end)] if number > 2 else []
    return statistics.median(times)


def graph_of(run):
    """The same work without the time that Python takes to launch it."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def measure(scans):
    """[(job, what, ms)]."""
    rows, inputs = [], scan_inputs(57600, 348, 16)
    net, image = light_x4(), torch.rand(1, 3, 180, 320, device=device)
    for name, scan in scans.items():
        ops.sorted_scan = sorted_by(scan)
        for job, run in (('scan', lambda: scan(*inputs)), ('network', lambda: net(image, model.Routing('argmax')))):
            rows.append((job, f'PyTorch, {name} scan', milliseconds(run)))
            rows.append((job, f'PyTorch, {name} scan, CUDA graph', milliseconds(graph_of(run))))
    return rows


def engine():
    """The same of `npm run bench -- gpu`: the three passes of its scan, and its network as a whole."""
    text = subprocess.run(['node', 'dist/bench/gpu.js'], cwd=root, capture_output=True, text=True, check=True).stdout
    if 'a software adapter' in text:
        sys.exit('the engine found no GPU (VK_ICD_FILENAMES may name its driver)')
    rows, job, precision = [], '', ''
    for line in text.splitlines():
        title = re.match(r'(a scan|MambaIRv2-light).*, (f32|f16)$', line)
        if title:
            job, precision = 'scan' if title[1] == 'a scan' else 'network', title[2]
        elif job == 'scan' and line.startswith('| selectiveScan |'):
            rows.append((job, f'the engine, {precision}', float(line.split('|')[7])))
        elif job == 'network' and line.startswith('all passes as one'):
            rows.append((job, f'the engine, {precision}', float(line.split()[-2])))
    return rows


def main():
    use_plain_operations()
    scans = {'chunked': chunked}
    if triton is None or not (on_cuda or os.environ.get('TRITON_INTERPRET')):
        print('no Triton here: the scan of the official kernel is left out')
    else:
        scans['official'] = official
    print(f'PyTorch {torch.__version__} on {torch.cuda.get_device_name() if on_cuda else "the CPU"}')
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    with torch.no_grad():
        check(scans)
        if sys.argv[1:] == ['check'] or not on_cuda:
            print('values only: times are for CUDA')
            return
        rows = measure(scans) + engine()
    print('\n| job | | ms | times the engine in float32 |\n|---|---|---:|---:|')
    own = {job: ms for job, what, ms in rows if what == 'the engine, f32'}
    for job, what, ms in sorted(rows):
        print(f'| {job} | {what} | {ms:.3f} | {ms / own[job]:.1f} |')


if __name__ == '__main__':
    main()

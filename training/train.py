"""Train one model from a configuration: python3 -m training.train CONFIG --pack PACK --testsets DIR --run DIR

The run folder holds state.safetensors (weights, EMA, Adam's moments, step) and log.jsonl. Stop it at any moment (TERM,
INT or a power cut) and give the same command again to go on; the weights come out as from an uninterrupted run.
"""
import argparse
import ctypes
import json
import math
import os
import signal
import time
from pathlib import Path

import torch

from . import safetensors
from .data import Patches
from .evaluate import evaluate
from .fit_head import fit_head
from .initialise import initialise, tie_decays, wake_routers, warm_start
from .model import MambaIRv2, Routing
from .tasks import make_task


class Flat:
    """All parameters of a network as one vector, with Adam and the moving average as a few vector operations."""

    def __init__(self, net, betas, ema):
        self.betas, self.decay, self.step = betas, ema, 0
        self.weights = torch.cat([p.detach().reshape(-1) for p in net.parameters()])
        self.grad = torch.zeros_like(self.weights)
        self.m, self.v = torch.zeros_like(self.weights), torch.zeros_like(self.weights)
        self.ema = self.weights.clone()
        self.bind(net, self.weights, self.grad)

    @staticmethod
    def bind(net, weights, grad=None):
        """Let the parameters be views of a vector."""
        at = 0
        for p in net.parameters():
            p.data = weights[at:at + p.numel()].view(p.shape)
            if grad is not None:
                p.grad = grad[at:at + p.numel()].view(p.shape)
            at += p.numel()

    def update(self, rate):
        self.step += 1
        b1, b2 = self.betas
        self.m.lerp_(self.grad, 1 - b1)
        self.v.mul_(b2).addcmul_(self.grad, self.grad, value=1 - b2)
        size = rate / (1 - b1 ** self.step)
        self.weights.addcdiv_(self.m, (self.v / (1 - b2 ** self.step)).sqrt_().add_(1e-8), value=-size)
        self.ema.lerp_(self.weights, 1 - min(self.decay, (1 + self.step) / (10 + self.step)))
        self.grad.zero_()

    def state(self):
        vectors = dict(weights=self.weights, ema=self.ema, m=self.m, v=self.v)
        return {k: t.cpu().numpy() for k, t in vectors.items()}

    def restore(self, arrays, step):
        for name, array in arrays.items():
            getattr(self, name).copy_(torch.from_numpy(array))
        self.step = step


def rate_at(step, progress, config):
    """Warm-up, then a cosine to zero. progress: 0..1, the share of the plan that is done."""
    warm = min(1, (step + 1) / config['warmup'])
    return config['rate'] * warm * 0.5 * (1 + math.cos(math.pi * min(1, progress)))


def planned(value, progress):
    """A setting that is one value, or changes during the plan: [[from this share on, value], ...]."""
    return [v for start, v in value if progress >= start][-1] if isinstance(value, list) else value


def loss_of(kind, output, target):
    difference = output - target
    if kind == 'l1':
        return difference.abs().mean()
    if kind == 'l2':  # scaled to the gradients of L1 at usual errors (0.025), so that Adam's moments carry over
        return 20 * (difference ** 2).mean()
    if kind == 'psnr':  # of every patch: the mean in decibels is what is measured, and strong noise does not drown weak
        return 0.01 * ((difference ** 2).mean((1, 2, 3)) + 3e-5).log().mean()
    return (difference ** 2 + 1e-6).sqrt().mean()


def keep_memory():
    """Let glibc keep freed memory: fresh pages for every activation would double the time of a step on the CPU."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, 'mallopt'):
        trim_threshold, mmap_threshold, arena_max = -1, -3, -8
        libc.mallopt(mmap_threshold, 32 << 20)
        libc.mallopt(trim_threshold, 1 << 30)
        libc.mallopt(arena_max, 1)


class Run:
    """A network in training, its folder and its clock."""

    def __init__(self, config, folder, device='cpu', budget=None):
        self.config, self.folder, self.device, self.budget = config, Path(folder), device, budget
        self.folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config['seed'])
        self.net = MambaIRv2(**config['model'])
        initialise(self.net)
        if config.get('start'):
            warm_start(self.net, config['start'])
        if config['routing'] == 'train':
            wake_routers(self.net)
        self.net.to(device)
        self.flat = Flat(self.net, config['betas'], config['ema'])
        self.averaged = MambaIRv2(**config['model']).to(device)
        Flat.bind(self.averaged, self.flat.ema)
        self.seconds, self.resumed = 0.0, time.thread_time()
        self.path = self.folder / 'state.safetensors'
        if self.path.exists():
            arrays, meta = safetensors.load(self.path)
            self.flat.restore(arrays, int(meta['step']))
            self.seconds = float(meta['seconds'])

    def elapsed(self):
        """Seconds of the processor, of all sessions together: a run that waits for a shared machine loses nothing."""
        return self.seconds + time.thread_time() - self.resumed

    def save(self):
        safetensors.save(self.path, self.flat.state(), {
            'step': str(self.flat.step), 'seconds': f'{self.elapsed():.1f}', 'config': json.dumps(self.config)})

    def log(self, **entry):
        with open(self.folder / 'log.jsonl', 'a') as file:
            file.write(json.dumps({'step': self.flat.step, 'seconds': round(self.elapsed(), 1), **entry}) + '\n')

    def validate(self, task, testsets):
        scores = evaluate(self.averaged, task, testsets, routing='random', device=self.device)
        self.log(psnr={k: round(v, 4) for k, v in scores.items()})

    def progress(self):
        """The share of the plan that is done: of its steps, or of its hours where those are given. A plan that goes on
        from the end of an earlier one says `since` where that was, in the same unit."""
        since = self.config.get('since', 0)
        if self.budget:
            return (self.elapsed() - since) / (self.budget - since)
        return (self.flat.step - since) / (self.config['steps'] - since)

    def advance(self, patches):
        """One step; returns the loss and the pixels it saw."""
        step, progress = self.flat.step, self.progress()
        size = planned(self.config['batch'], progress)
        source, target, *taught = patches.batch(step, size, self.device)
        if taught:
            target = target.lerp(taught[0], planned(self.config.get('taught_share', 1), progress))
        generator = torch.Generator().manual_seed(self.config['seed'] * 1000003 + step)
        if self.config['routing'] == 'train':
            torch.manual_seed(self.config['seed'] * 1000003 + step)
        routing = Routing(self.config['routing'], generator=generator)
        output = self.net(source, routing)
        loss = loss_of(planned(self.config['loss'], progress), output, target)
        (loss - self.config.get('routing_reward', 0) * routing.reward).backward()
        self.rate = rate_at(step, progress, self.config)
        self.flat.update(self.rate)
        if self.config.get('tied_decays'):
            tie_decays(self.net)
            tie_decays(self.averaged)
        return loss.item(), size * self.config['patch'] ** 2


def train(config, pack, testsets, folder, device='cpu', until=None, budget=None, taught=None):
    """Run to the planned end (or to step `until`); leaves the state in the folder."""
    task = make_task(config)
    patches = Patches(pack, task, config['patch'], config['candidates'], config['seed'], taught)
    run = Run(config, folder, device, budget)
    if run.flat.step == 0 and config.get('fit_head'):
        fit_head(run.net, patches, config['fit_head'])
        run.flat.ema.copy_(run.flat.weights)
    stop = []
    for sort in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sort, lambda *_: stop.append(True))
    since, saved, seen = time.time(), time.time(), []
    while run.progress() < 1 and run.flat.step != until and not stop:
        seen.append(run.advance(patches))
        if run.flat.step % config['log_every'] == 0:
            loss, pixels = (sum(values) for values in zip(*seen))
            run.log(loss=loss / len(seen), rate=run.rate, pixels_per_second=round(pixels / (time.time() - since)))
            since, seen = time.time(), []
        if testsets and run.flat.step % config['validate_every'] == 0:
            started = time.time()
            run.validate(task, testsets)
            since += time.time() - started
        if time.time() - saved > config.get('save_seconds', 60):
            run.save()
            saved = time.time()
    run.save()
    if testsets and run.progress() >= 1:
        run.validate(task, testsets)
    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('--pack', required=True)
    parser.add_argument('--taught', help='tiles of training.teach to train on instead of the pictures')
    parser.add_argument('--testsets', help='without it nothing is validated')
    parser.add_argument('--run', required=True)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--steps', type=int, help='another total than the configuration says')
    parser.add_argument('--seconds', type=float, help='plan by processor time (of the main thread) instead: not reproducible')
    args = parser.parse_args()
    torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 1)))
    keep_memory()
    with open(args.config) as file:
        config = json.load(file)
    if args.steps:
        config['steps'] = args.steps
    run = train(config, args.pack, args.testsets, args.run, args.device, budget=args.seconds,
                taught=args.taught)
    print(f'step {run.flat.step}, {run.elapsed():.0f} s')


if __name__ == '__main__':
    main()

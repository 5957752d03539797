"""Quality of a file of weights through the engine (`mambair eval`), beside the inputs as they are. For model cards."""
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from . import compare
from .degrade import imresize
from .evaluate import psnr
from .tasks import make_task, pairs_of

ROOT = Path(__file__).parent.parent
SETS = {'sr': ('Set5', 'Set14', 'CBSD68', 'Kodak8'), 'real': ('Set14',),
        'denoise': (('CBSD68', 25), ('Set5', 15), ('Set5', 50)),
        'jpeg': (('classic5', 10), ('classic5', 40))}


def mambair(*words):
    """Runs the command-line tool of this repository (built before); its standard output."""
    command = ['node', str(ROOT / 'bin' / 'mambair.js'), *map(str, words)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def mean_of(report, key):
    """The mean that `mambair eval --json` ends with."""
    return json.loads(report.strip().splitlines()[-1])[key]


def input_psnr(task, testsets, name, level=None):
    """What doing nothing scores: bicubic interpolation, or the input rounded to 8 bit."""
    values = []
    for _, source, target in pairs_of(task, testsets, name, level):
        if source.dtype != np.uint8:
            source = np.clip(np.rint(source * 255), 0, 255).astype(np.uint8)
        same = source if task.scale == 1 else imresize(source, task.scale)
        values.append(psnr(same, target, task.border, task.weights))
    return float(np.mean(values))


def real_rows(config, weights, testsets, name):
    """Degraded by the seeds of compare.make: the command, and the rows of PSNR and GMSD."""
    task = make_task(config)
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / 'config.json'
        settings.write_text(json.dumps(config))
        compare.make(settings, testsets, name, folder)
        mambair('restore', f'{folder}/LR', '-o', f'{folder}/restored', '-m', weights, '--scale', task.scale, '--quiet')
        before = compare.score(task.scale, f'{folder}/HR', f'{folder}/bicubic')
        after = compare.score(task.scale, f'{folder}/HR', f'{folder}/restored')
    return [[f'{name}, PSNR of luma', f'{before[0]:.2f} dB', f'{after[0]:.2f} dB'],
            [f'{name}, GMSD (lower is better)', f'{before[1]:.4f}', f'{after[1]:.4f}']]


def quality(config, weights, testsets):
    """(header and rows of the table, the command that measures a row) of a model's card."""
    kind, task, ident = config['task'], make_task(config), config['id']
    rows, s = [['test set', {'sr': 'bicubic', 'real': 'bicubic'}.get(kind, 'input'), ident]], task.scale
    if kind == 'real':
        for name in SETS[kind]:
            rows += real_rows(config, weights, testsets, name)
        return rows, (f'python3 -m training.compare make training/configs/{ident}.json TESTSETS Set14 X\n'
                      f'mambair restore X/LR -o X/restored --model {ident} --scale {s}\n'
                      f'python3 -m training.compare score {s} X/HR X/bicubic X/restored')
    key = 'psnrRgb' if kind == 'denoise' else 'psnrY'
    option = {'sr': 'scale', 'denoise': 'sigma', 'jpeg': 'jpeg'}[kind]
    tiles = ('--tile', 'whole') if kind == 'jpeg' else ()  # the papers' tiles would cut through the blocks of JPEG
    tests = [(name, s) for name in SETS[kind]] if kind == 'sr' else SETS[kind]
    for name, level in tests:
        folder = Path(testsets) / name / ('HR' if name == 'Set5' else '')
        report = mambair('eval', '--model', weights, '--hr', folder, f'--{option}', level, *tiles, '--json')
        label = name if kind == 'sr' else f'{name}, {"sigma" if kind == "denoise" else "quality"} {level}'
        before = input_psnr(task, testsets, name, None if kind == 'sr' else level)
        rows.append([label, f'{before:.2f} dB', f'{mean_of(report, key):.2f} dB'])
    name, level = tests[0]
    folder = 'Set5/HR' if name == 'Set5' else name
    return rows, ' '.join([f'mambair eval --model {ident} --hr TESTSETS/{folder} --{option} {level}', *tiles])

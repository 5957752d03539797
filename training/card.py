"""The model card of a trained model, as Markdown."""
import json
import re
from collections import Counter
from pathlib import Path

TASKS = {
    'sr': 'Super-resolution by {scale}, for pictures reduced by MATLAB-style bicubic interpolation.',
    'denoise': 'Removes Gaussian noise from colour pictures, sigma 0 to 50 of 255, without being told which.',
    'jpeg': 'Removes the traces of JPEG compression from colour pictures, quality 10 to 95, without being told which.',
    'real': 'Super-resolution by {scale} for photographs and frames as they come: soft, noisy, compressed.',
}
MEASURE = {
    'sr': 'PSNR of luma (BT.601), border of {scale} pixels removed, inputs by bicubic reduction',
    'denoise': 'PSNR of RGB, Gaussian noise of fixed seeds',
    'jpeg': 'PSNR of the grey picture',
    'real': 'PSNR of luma and GMSD, a perceptual measure, inputs degraded as in training with fixed seeds',
}


def family(license):
    """The name of a licence without the photographer: 'Unsplash License (photo by ...)' -> 'Unsplash License'."""
    return re.split(r' \(|, ', license)[0]


def attribution(pictures):
    """One line for every picture whose licence asks for the author's name."""
    return [f'- `{p["file"].split("/")[-1]}`: {p["license"]}, {p["source"]}' for p in pictures
            if re.match(r'CC[ -]BY', p['license'])]


def table(rows):
    return '\n'.join('| ' + ' | '.join(row) + ' |' for row in [rows[0], ['---'] * len(rows[0]), *rows[1:]])


def plan(value):
    """A setting that may change during the plan, in words."""
    if not isinstance(value, list):
        return str(value)
    return ', '.join(f'{v} from {round(100 * share)} %' if share else str(v) for share, v in value)


def speed(run):
    """Median input pixels a second, from the log."""
    with open(Path(run) / 'log.jsonl') as file:
        speeds = [e['pixels_per_second'] for e in map(json.loads, file) if 'pixels_per_second' in e]
    return sorted(speeds)[len(speeds) // 2]


def losses(value):
    names = {'l1': 'L1', 'l2': 'L2', 'charbonnier': 'Charbonnier', 'psnr': 'PSNR of each patch'}
    return ', '.join(f'{names[v]} from {round(100 * share)} %' if share else names[v]
                     for share, v in (value if isinstance(value, list) else [[0, value]]))


def routing(config):
    if config['model']['num_tokens'] == 1:
        return 'one class: the scan takes the pixels in raster order, and nothing depends on a seed'
    if config['routing'] == 'random':
        return ('trained with uniformly random classes; the router is left at zero, so `seeded` routing draws from the '
                'trained distribution and `argmax` scans in raster order')
    return 'trained by Gumbel soft-max, as in the paper'


def card(config, meta, scores, command, pictures, parameters, run, license):
    """The text. scores: the rows of a table; command: what measures one of them."""
    model, task = config['model'], config['task']
    words = dict(scale=model.get('upscale', 1))
    blocks = ' + '.join(map(str, model['depths']))
    licences = Counter(family(p['license']) for p in pictures)
    facts = [
        ['architecture', f'MambaIRv2 light: {model["embed_dim"]} channels, {blocks} blocks, '
                         f'window {model["window_size"]}, {model["num_heads"][0]} heads, '
                         f'state size {model["d_state"]}{", decays tied" if config.get("tied_decays") else ""}, '
                         f'{model["num_tokens"]} class{"es" if model["num_tokens"] > 1 else ""}; '
                         f'{parameters:,} parameters, stored as F16'],
        ['routing', routing(config)],
        ['training', f'{meta["step"]} steps, {float(meta["seconds"]) / 3600:.1f} h of one thread of a shared x86 '
                     f'server processor without GPU ({speed(run):,} input pixels a second); '
                     f'{config["patch"]}x{config["patch"]} patches, batch {plan(config["batch"])}; '
                     f'loss {losses(config["loss"])}; Adam {config["rate"]:g} with a cosine to zero, '
                     f'moving average {config["ema"]}; seed {config["seed"]}'],
        ['started from', f'`{config["start"]}`' if config.get('start') else
                         'a random body around bicubic interpolation'],
        ['configuration', f'`training/configs/{config["id"]}.json`'],
        ['licence', license],
    ]
    if config.get('history'):
        facts.insert(3, ['before that', config['history']])
    if config.get('teacher'):
        facts.insert(4, ['teacher', config['teacher']])
    return '\n'.join([
        f'# {config["id"]}', '', TASKS[task].format(**words), '',
        table([['', ''], *facts]), '',
        '## Quality', '',
        f'{MEASURE[task].format(**words)}. Measured through the engine with `seeded` routing; the test sets were not '
        'trained on, the first of them was watched during training.', '',
        table(scores), '', f'```sh\n{command}\n```', '',
        f'![Before and after, beside the original]({config["id"]}.webp)', '',
        f'![PSNR over the hours of training](../training/curves/{config["id"]}.svg)', '',
        '## Weak points', '', *(f'- {line}' for line in config.get('weak', [])), '',
        '## Training pictures', '',
        f'{len(pictures)} pictures: ' + ', '.join(f'{n} {name}' for name, n in licences.most_common()) + '. '
        'None under share-alike or non-commercial terms. Attribution where the licence asks for it:', '',
        *attribution(pictures), ''])

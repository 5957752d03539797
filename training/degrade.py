"""How training inputs are made from clean pictures. Pictures are uint8 arrays [H, W, 3], RGB."""
import io
import math

import numpy as np
from PIL import Image, ImageFilter


def cubic(x):
    x = np.abs(x)
    near, far = 1.5 * x ** 3 - 2.5 * x ** 2 + 1, -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0))


def taps(n, scale, antialias=True):
    """MATLAB's bicubic taps along one axis: index and weight arrays [out, taps]."""
    shrink = scale if scale < 1 and antialias else 1
    width = 4 / shrink
    u = np.arange(1, math.ceil(n * scale) + 1) / scale + 0.5 * (1 - 1 / scale)
    at = np.floor(u - width / 2)[:, None] + np.arange(math.ceil(width) + 2)
    weight = cubic(shrink * (u[:, None] - at))
    weight /= weight.sum(1, keepdims=True)
    used = np.any(weight != 0, 0)
    m = (at[:, used].astype(np.int64) - 1) % (2 * n)
    return np.where(m < n, m, 2 * n - 1 - m), weight[:, used]


def resample(x, axis, scale, antialias=True):
    index, weight = taps(x.shape[axis], scale, antialias)
    shape = [-1 if a == axis else 1 for a in range(x.ndim)]
    return sum(x.take(index[:, k], axis) * weight[:, k].reshape(shape) for k in range(index.shape[1]))


def round_half_up(x):
    return np.clip(np.floor(x + 0.5), 0, 255)


def imresize(image, scale, antialias=True):
    """MATLAB's imresize(image, scale). uint8 is rounded after each pass, as benchmark files were made; floats never."""
    if image.dtype == np.uint8:
        rows = round_half_up(resample(image.astype(np.float64), 0, scale, antialias))
        return round_half_up(resample(rows, 1, scale, antialias)).astype(np.uint8)
    return resample(resample(image.astype(np.float64), 0, scale, antialias), 1, scale, antialias)


def crop_to_multiple(image, s):
    return image[:image.shape[0] // s * s, :image.shape[1] // s * s]


def add_noise(image, sigma, rng):
    """Gaussian noise of sigma (0..255 scale) on uint8; the result is float32 in 0..1, not clipped."""
    return ((image + rng.standard_normal(image.shape) * sigma) / 255).astype(np.float32)


def jpeg(image, quality, subsampling):
    """Through a real encoder. subsampling: 0 is 4:4:4, 2 is 4:2:0."""
    data = io.BytesIO()
    Image.fromarray(image).save(data, 'JPEG', quality=int(quality), subsampling=subsampling)
    return np.asarray(Image.open(io.BytesIO(data.getvalue())).convert(Image.fromarray(image).mode))


def video_frame(image, quality):
    """Through a video codec: lossy WebP is a VP8 key frame, with its prediction, 4:2:0 colour and loop filter."""
    data = io.BytesIO()
    Image.fromarray(image).save(data, 'WEBP', quality=int(quality), method=0)
    return np.asarray(Image.open(io.BytesIO(data.getvalue())).convert('RGB'))


def random_compression(image, rng):
    if rng.random() < 0.3:
        return video_frame(image, rng.integers(15, 90))
    return jpeg(image, rng.integers(40, 96), 2 * rng.integers(2))


def random_blur(image, rng, strongest):
    radius = rng.uniform(0.1, strongest)
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))


def random_resize(image, size, rng):
    """To (height, width), by a filter drawn at random."""
    kind = (Image.BOX, Image.BILINEAR, Image.BICUBIC, Image.LANCZOS)[rng.integers(4)]
    return np.asarray(Image.fromarray(image).resize((size[1], size[0]), kind))


def random_noise(image, rng, strongest):
    sigma = rng.uniform(0, strongest)
    shape = image.shape if rng.random() < 0.6 else image.shape[:2] + (1,)  # coloured or grey
    noise = rng.standard_normal(shape) * sigma
    if rng.random() < 0.4:                                                 # shot noise grows with the signal
        noise = noise * np.sqrt(image / 128 + 0.05)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def real_world(image, scale, rng, clean=0):
    """Second-order degradation in the manner of Real-ESRGAN, milder: blur, resize, noise, compression, twice.

    A share `clean` is made smaller and no more, so that what needs no mending is not smoothed.
    [H, W, 3] -> [H / scale, W / scale, 3], both uint8.
    """
    out = (image.shape[0] // scale, image.shape[1] // scale)
    if clean and rng.random() < clean:
        return random_resize(image, out, rng)
    if rng.random() < 0.8:
        image = random_blur(image, rng, 0.5 + 0.5 * scale)
    factor = rng.uniform(1 / scale, 1.1)
    image = random_resize(image, [max(o, round(n * factor)) for o, n in zip(out, image.shape)], rng)
    image = random_noise(image, rng, 15)
    if rng.random() < 0.7:
        image = random_compression(image, rng)
    if rng.random() < 0.4:
        image = random_blur(image, rng, 0.8)
    image = random_resize(image, out, rng)
    if rng.random() < 0.5:
        image = random_noise(image, rng, 8)
    return random_compression(image, rng) if rng.random() < 0.8 else image

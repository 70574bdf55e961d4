"""Pictures that look like photos, drawn by numbers: every seed another street. No photo of anybody.

Sky, houses with windows, trees, a road in perspective, things that lie about, light, shadow, and
the grain of a sensor: enough low and high frequencies that a hash meets what it meets in life.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Array = NDArray[np.float32]
SIZE = (960, 720)


def scene(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture of its own for each seed."""
    rng = np.random.default_rng(seed)
    width, height = size
    horizon = int(height * rng.uniform(0.3, 0.6))
    image = _sky(rng, width, height)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, horizon, width, height), fill=_colour(rng, 60, 150))
    _houses(draw, rng, width, horizon)
    _road(draw, rng, width, height, horizon)
    for _ in range(int(rng.integers(2, 8))):
        _tree(draw, rng, width, horizon)
    for _ in range(int(rng.integers(6, 25))):
        _thing(draw, rng, width, height, horizon)
    image = image.filter(ImageFilter.GaussianBlur(1.0))
    return _grain(image, rng)


def noise(rng: np.random.Generator, width: int, height: int, octaves: int = 6) -> Array:
    """Clouds, leaves, asphalt: noise of all scales, the finer the weaker, 0 to 1."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cells = 2 ** (octave + 1)
        small = rng.random((cells, cells), np.float32)
        grown = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(grown) / 2**octave
    total -= total.min()
    scaled: Array = total / total.max()
    return scaled


def _sky(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    clouds = noise(rng, width, height, 5)[..., None]
    blue = np.array(_colour(rng, 110, 230), np.float32)
    mixed = blue * (1 - clouds) + np.array(_colour(rng, 170, 255), np.float32) * clouds
    return Image.fromarray(mixed.astype(np.uint8))


def _houses(draw: ImageDraw.ImageDraw, rng: np.random.Generator, width: int, horizon: int) -> None:
    at = -int(rng.integers(0, 80))
    while at < width:
        wide = int(rng.integers(60, 320))
        top = int(horizon * rng.uniform(0.05, 0.95))
        if rng.random() < 0.85:
            draw.rectangle((at, top, at + wide, horizon), fill=_colour(rng, 50, 220))
            step, glass = int(rng.integers(16, 48)), _colour(rng, 30, 230)
            for x in range(at + step // 2, at + wide - step // 2, step):
                for y in range(top + step // 2, horizon - step // 2, step):
                    if rng.random() < 0.9:
                        draw.rectangle((x, y, x + step // 2, y + step * 2 // 3), fill=glass)
        at += wide + int(rng.integers(0, 60))


def _road(
    draw: ImageDraw.ImageDraw, rng: np.random.Generator, width: int, height: int, horizon: int
) -> None:
    far = rng.uniform(0, width)
    left, right = sorted(rng.uniform(-0.4 * width, 1.4 * width, 2))
    draw.polygon(
        [(far - 8, horizon), (far + 8, horizon), (right, height), (left, height)],
        fill=_colour(rng, 50, 140),
    )
    draw.line([(far, horizon), ((left + right) / 2, height)], fill=(220, 220, 200), width=4)


def _tree(draw: ImageDraw.ImageDraw, rng: np.random.Generator, width: int, horizon: int) -> None:
    x, size = rng.uniform(0, width), rng.uniform(20, 110)
    foot = horizon + rng.uniform(0, 120)
    draw.rectangle((x - 5, foot - size, x + 5, foot), fill=(70, 50, 40))
    for _ in range(24):
        dx, dy, r = rng.normal(0, size / 2), rng.normal(0, size / 3), rng.uniform(5, size / 3)
        y = foot - 1.4 * size
        green = (int(rng.integers(20, 90)), int(rng.integers(60, 150)), int(rng.integers(20, 80)))
        draw.ellipse((x + dx - r, y + dy - r, x + dx + r, y + dy + r), fill=green)


def _thing(
    draw: ImageDraw.ImageDraw, rng: np.random.Generator, width: int, height: int, horizon: int
) -> None:
    y = rng.uniform(horizon, height)
    size = 6 + 110 * (y - horizon) / height * rng.uniform(0.4, 1.6)
    x = rng.uniform(0, width)
    points = [
        (x + size * rng.normal(0, 0.6), y + size * rng.normal(0, 0.4))
        for _ in range(int(rng.integers(3, 8)))
    ]
    draw.polygon(points, fill=_colour(rng, 10, 250))


def _grain(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(image).astype(np.float32)
    height, width = pixels.shape[:2]
    light = 0.65 + 0.6 * noise(rng, width, height, 3)
    texture = 26 * (noise(rng, width, height, 8) - 0.5)
    grain = rng.normal(0, 4, (height, width, 1)).astype(np.float32)
    lit = pixels * light[..., None] + texture[..., None] + grain
    return Image.fromarray(lit.clip(0, 255).astype(np.uint8))


def _colour(rng: np.random.Generator, low: int, high: int) -> tuple[int, int, int]:
    grey = rng.integers(low, high)
    red, green, blue = (int(np.clip(grey + rng.integers(-30, 31), 0, 255)) for _ in range(3))
    return red, green, blue

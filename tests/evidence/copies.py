"""What people do to a picture before they send it again: each turns one into a copy."""

import io
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

Rng = np.random.Generator


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    """Through a JPEG of this quality and back."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(io.BytesIO(out.getvalue())).convert("RGB")


def re_encoded(image: Image.Image, rng: Rng) -> Image.Image:
    """Shrunk by a chat program, once or twice."""
    scale = rng.uniform(0.4, 0.9)
    small = image.resize((int(image.width * scale), int(image.height * scale)))
    return jpeg(small, int(rng.integers(30, 80)))


def watermarked(image: Image.Image, rng: Rng) -> Image.Image:
    """With a band of time and place, as watermark cameras draw it, and a mark across."""
    image = image.copy()
    draw = ImageDraw.Draw(image, "RGBA")
    w, h = image.size
    high = int(h * rng.uniform(0.08, 0.16))
    top = h - high - int(rng.integers(0, h // 20)) if rng.random() < 0.7 else int(h * 0.02)
    right = int(w * rng.uniform(0.35, 1.0))
    draw.rectangle((0, top, right, top + high), fill=(0, 0, 0, int(rng.integers(90, 255))))
    for line in range(3):
        text = f"2025-06-{rng.integers(10, 30)} {rng.integers(10, 20)}:0{line} Haidian"
        draw.text((w * 0.02, top + line * high / 3), text, fill="white", font_size=max(8, h / 40))
    draw.text((w * 0.3, h * 0.45), "WATERMARK", fill=(255, 255, 255, 110), font_size=h / 12)
    return jpeg(image, 70)


def re_shot(image: Image.Image, rng: Rng) -> Image.Image:
    """A photo of the photo on a screen: askew, other light, out of focus, grain, a thin frame."""
    w, h = image.size
    frame = rng.uniform(-0.03, 0.03)
    corners = np.array([(0, 0), (w, 0), (w, h), (0, h)], float)
    seen = corners + rng.uniform(-0.03, 0.03, (4, 2)) * (w, h)
    seen += np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * frame * np.array((w, h))
    shot = image.transform(
        image.size,
        Image.Transform.PERSPECTIVE,
        perspective(corners, seen),
        Image.Resampling.BICUBIC,
    )
    shot = ImageEnhance.Brightness(shot).enhance(rng.uniform(0.7, 1.35))
    shot = ImageEnhance.Contrast(shot).enhance(rng.uniform(0.75, 1.25))
    shot = shot.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5)))
    pixels = np.asarray(shot).astype(np.float32) * rng.uniform(0.92, 1.08, 3)
    pixels += rng.normal(0, rng.uniform(3, 9), pixels.shape)
    return jpeg(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), 70)


def cropped(image: Image.Image, rng: Rng) -> Image.Image:
    """A tenth of width and of height is cut off, from wherever."""
    w, h = image.size
    left, top = int(rng.uniform(0, 0.1) * w), int(rng.uniform(0, 0.1) * h)
    part = image.crop((left, top, left + int(w * 0.9), top + int(h * 0.9)))
    return jpeg(part, int(rng.integers(50, 90)))


def cropped_all_round(image: Image.Image, rng: Rng) -> Image.Image:
    """A tenth is cut off at each of the four sides."""
    w, h = image.size
    return jpeg(image.crop((w // 10, h // 10, w - w // 10, h - h // 10)), int(rng.integers(50, 90)))


def perspective(to: np.ndarray, source: np.ndarray) -> tuple[float, ...]:
    """Pillow's eight numbers that map points `to` of the new picture to `source` of the old."""
    rows, values = [], []
    for (x, y), (u, v) in zip(to, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return tuple(np.linalg.solve(np.array(rows), np.array(values)).tolist())


COPIES: Mapping[str, Callable[[Image.Image, Rng], Image.Image]] = {
    "re-encoded": re_encoded,
    "watermarked": watermarked,
    "re-shot": re_shot,
    "cropped by 10 %": cropped,
    "cropped by 10 % at each side": cropped_all_round,
}

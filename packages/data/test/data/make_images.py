"""Writes images.json: small image files of every kind with the pixels that Pillow reads from them, what Pillow's resize makes
of noise by every filter, and crops as guided-diffusion makes them. Run with numpy and pillow: python make_images.py"""
import base64
import io
import json
import pathlib

import numpy as np
from PIL import Image, ImageOps

rng = np.random.default_rng(2)
y, x = np.mgrid[0:17, 0:23]
smooth = np.stack([128 + 90 * np.sin(x / 5 + y / 9), 120 + 90 * np.cos(y / 4), 10 * x + 20], -1)
rgb = Image.fromarray(smooth.clip(0, 255).astype(np.uint8))
alpha = Image.fromarray((x * 11 % 256).astype(np.uint8))
rgba = rgb.copy()
rgba.putalpha(alpha)
files = {}


def keep(name, image, pixels, within=0, **options):
    """within: how far another decoder of the format may be off, of 255."""
    buffer = io.BytesIO()
    image.save(buffer, **options)
    if pixels is None:
        pixels = np.asarray(ImageOps.exif_transpose(Image.open(buffer)).convert("RGB"))
    files[name] = {
        "within": within,
        "bytes": base64.b64encode(buffer.getvalue()).decode(),
        "shape": list(pixels.shape),
        "pixels": base64.b64encode(pixels.astype(np.uint8).tobytes()).decode(),
    }


def over_white(image):
    a = np.asarray(image, np.float64)
    return np.floor(255 + (a[..., :-1] - 255) * a[..., -1:] / 255 + 0.5)


three = np.asarray(rgb)
keep("rgb.png", rgb, three, format="PNG")
keep("rgba.png", rgba, over_white(rgba), format="PNG")
grey = rgb.convert("L")
keep("grey.png", grey, np.asarray(grey)[..., None], format="PNG")
la = rgba.convert("LA")
keep("grey-alpha.png", la, over_white(la), format="PNG")
bit = grey.point(lambda v: 255 * (v > 120)).convert("1")
keep("one-bit.png", bit, np.asarray(bit.convert("L"))[..., None], format="PNG")
palette = rgb.quantize(16)
keep("palette-4.png", palette, np.asarray(palette.convert("RGB")), format="PNG", bits=4)
palette = rgb.quantize(200)
keep("palette-8.png", palette, np.asarray(palette.convert("RGB")), format="PNG")
wide = Image.fromarray((np.asarray(grey).astype(np.uint16) * 256 + 37))
keep("sixteen-bit.png", wide, np.asarray(grey)[..., None], format="PNG")
clear = Image.fromarray(np.where(x[..., None] < 9, np.uint8(7), three))
expected = np.asarray(clear).copy()
expected[(expected == 7).all(-1)] = 255
keep("transparent-colour.png", clear, expected, format="PNG", transparency=(7, 7, 7))
for name, options in {
    "444.jpg": {"quality": 90, "subsampling": 0},
    "420.jpg": {"quality": 80},
    "progressive.jpg": {"quality": 85, "progressive": True},
}.items():
    buffer = io.BytesIO()
    rgb.save(buffer, format="JPEG", **options)
    keep(name, rgb, np.asarray(Image.open(buffer).convert("RGB")), format="JPEG", **options)
buffer = io.BytesIO()
grey.save(buffer, format="JPEG")
keep("grey.jpg", grey, np.asarray(Image.open(buffer).convert("RGB")), format="JPEG")
keep("cmyk.jpg", rgb.convert("CMYK"), None, within=1, format="JPEG")
keep("cmyk-progressive.jpg", rgb.convert("CMYK"), None, within=1, format="JPEG", progressive=True)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    keep(f"orientation-{orientation}.jpg", rgb, None, format="JPEG", quality=90, subsampling=0, exif=exif)
    keep(f"orientation-{orientation}.png", rgb, None, format="PNG", exif=exif)
keep("lossless.webp", rgb, None, format="WEBP", lossless=True)
keep("lossy.webp", rgb, None, within=1, format="WEBP")
keep("animated.webp", rgb, None, format="WEBP", lossless=True, save_all=True, append_images=[grey.convert("RGB")])
palette = rgb.quantize(16)
keep("one.gif", palette, None, format="GIF")
keep("animated.gif", palette, None, format="GIF", save_all=True, append_images=[palette.rotate(180)])
keep("lzw.tiff", rgb, None, format="TIFF", compression="tiff_lzw")
keep("sixteen-bit.tiff", wide, np.asarray(grey)[..., None], format="TIFF")
keep("cmyk.tiff", rgb.convert("CMYK"), None, format="TIFF")
keep("quality-90.avif", rgb, None, within=2, format="AVIF", quality=90, subsampling="4:4:4")
keep("24.bmp", rgb, None, format="BMP")
keep("8.bmp", rgb.quantize(200), None, format="BMP")
keep("1.bmp", bit, None, format="BMP")
keep("32.bmp", rgba, three, format="BMP")

# Files beside this one, whose README says where they are from.
for path in sorted(pathlib.Path(__file__).with_name("cases").glob("*.*")):
    if path.suffix == ".md":
        continue
    image = ImageOps.exif_transpose(Image.open(path))
    pixels = over_white(image) if image.mode == "RGBA" else np.asarray(image.convert("RGB"))
    files[f"cases/{path.name}"] = {
        "within": 1 if path.suffix == ".jpg" else 0,
        "bytes": base64.b64encode(path.read_bytes()).decode(),
        "shape": list(pixels.shape),
        "pixels": base64.b64encode(pixels.astype(np.uint8).tobytes()).decode(),
    }


def centre_crop(image, side):
    while min(*image.size) >= 2 * side:
        image = image.resize(tuple(n // 2 for n in image.size), resample=Image.BOX)
    scale = side / min(*image.size)
    image = image.resize(tuple(round(n * scale) for n in image.size), resample=Image.BICUBIC)
    a = np.asarray(image)
    top, left = (a.shape[0] - side) // 2, (a.shape[1] - side) // 2
    return a[top : top + side, left : left + side]


noise = Image.fromarray(rng.integers(0, 256, (61, 83, 3), dtype=np.uint8))
crops = [
    {"side": side, "pixels": base64.b64encode(centre_crop(image, side).tobytes()).decode(), "of": of}
    for of, image, sides in [("noise", noise, (8, 16, 30, 61, 64)), ("rgb.png", rgb, (4, 17, 32))]
    for side in sides
]
filters = {
    "box": Image.BOX,
    "bilinear": Image.BILINEAR,
    "bicubic": Image.BICUBIC,
    "lanczos": Image.LANCZOS,
}
resized = [
    {
        "width": width,
        "height": height,
        "by": by,
        "pixels": base64.b64encode(noise.resize((width, height), resample=filter).tobytes()).decode(),
    }
    for by, filter in filters.items()
    for width, height in [(29, 17), (40, 61), (97, 66), (20, 90)]
]
out = {
    "files": files,
    "resized": resized,
    "noise": {"width": 83, "height": 61, "pixels": base64.b64encode(np.asarray(noise).tobytes()).decode()},
    "crops": crops,
}
pathlib.Path(__file__).with_name("images.json").write_text(json.dumps(out) + "\n")

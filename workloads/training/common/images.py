"""Pictures as grey pages, whatever form they come in."""

from __future__ import annotations

from PIL import Image, ImageOps

#: What one of 65,536 levels is worth in 256.
_LEVELS = 257
#: Forms of pixels with more than 8 bits. Pillow cuts these off above 255 where it makes them grey, which turns a page
#: of 16 bits white.
_DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I")


def grey_of(image: Image.Image) -> Image.Image:
    """A page in 256 levels of grey (mode L): upright, on white where it is transparent."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode in _DEEP:
        return upright.convert("I").point(lambda value: value / _LEVELS).convert("L")
    if upright.mode == "F":
        low, high = upright.getextrema()
        span = float(high) - float(low) or 1.0  # type: ignore[arg-type] # of one band these are numbers
        return upright.point(lambda value: (value - float(low)) * (255 / span)).convert("L")  # type: ignore[arg-type]
    if upright.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in upright.info:
        rgba = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return upright.convert("L")

"""Colours a person chose, made readable. Relative luminance and contrast as WCAG 2.1 defines them."""

from __future__ import annotations

import re

#: White text of ordinary size on it (WCAG 1.4.3).
LEAST_CONTRAST = 4.5
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def is_colour(text: str) -> bool:
    """``#rrggbb`` and nothing else."""
    return _HEX.fullmatch(text) is not None


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: str) -> float:
    """From 0 (black) to 1 (white)."""

    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast_with_white(colour: str) -> float:
    """From 1 (white itself) to 21 (black)."""
    return 1.05 / (luminance(colour) + 0.05)


def darkened(colour: str, share: float) -> str:
    """``share`` of each part is left: 1.0 is the colour itself, 0.0 black."""
    return "#" + "".join(f"{round(part * share):02x}" for part in _parts(colour))


def readable_under_white(colour: str, least: float = LEAST_CONTRAST) -> str:
    """The nearest darker shade on which white text can be read; the colour itself where it can already."""
    for percent in range(100, -1, -1):
        shade = darkened(colour, percent / 100)
        if contrast_with_white(shade) >= least:
            return shade
    raise AssertionError("black is readable under white")

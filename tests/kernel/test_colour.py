"""A colour a person chose is one on which white text can be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ispbilling.kernel.colour import contrast_with_white, is_colour, readable_under_white

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(colour=colours)
def test_every_colour_is_made_readable(colour: str) -> None:
    assert contrast_with_white(readable_under_white(colour)) >= 4.5


@given(colour=colours)
def test_what_is_readable_stays(colour: str) -> None:
    shade = readable_under_white(colour)
    assert readable_under_white(shade) == shade


@pytest.mark.parametrize(("colour", "contrast"), [("#ffffff", 1.0), ("#000000", 21.0), ("#2563eb", 5.17)])
def test_contrast_is_the_standards(colour: str, contrast: float) -> None:
    assert round(contrast_with_white(colour), 2) == contrast


@pytest.mark.parametrize("text", ["", "red", "#fff", "#12345g", "#123456;", " #123456", "#123456\n"])
def test_nothing_else_is_a_colour(text: str) -> None:
    assert not is_colour(text)

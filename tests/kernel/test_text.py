"""Text of the outside world, fit for a column."""

from __future__ import annotations

import pytest

from ispbilling.kernel.text import foreign


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (None, ""),
        ("", ""),
        (" ok ", "ok"),
        (7, "7"),
        ("a\x00b", "a b"),
        ("\x00", ""),
        ("one\r\ntwo", "one two"),
        ("half \ud800 of it", "half   of it"),
        ("বাংলা 😀 José", "বাংলা 😀 José"),
        ("x" * 50, "x" * 20),
        ("x" * 19 + " y", "x" * 19),
    ],
)
def test_what_is_left_can_be_stored(value: object, stored: str) -> None:
    assert foreign(value, 20) == stored
    stored.encode()

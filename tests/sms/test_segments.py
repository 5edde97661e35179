"""Counting parts: the vectors of the reference, and what must hold for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.channels.segments import BASIC, EXTENDED, Encoding, count, normalise, plain

BANGLA, EMOJI = "ক", "😀"


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("a" * 160, "gsm7", 160, 1),
        ("a" * 161, "gsm7", 161, 2),
        ("a" * 306, "gsm7", 306, 2),
        ("a" * 307, "gsm7", 307, 3),
        ("€" * 80, "gsm7", 160, 1),
        ("€" * 81, "gsm7", 162, 2),
        ("a" * 152 + "€" + "a" * 10, "gsm7", 164, 2),
        ("€" * 76 + "a" + "€" * 80, "gsm7", 313, 3),
        ("KSh 1,000 [Pay]", "gsm7", 17, 1),
        ("don’t", "ucs2", 5, 1),
        (BANGLA * 70, "ucs2", 70, 1),
        (BANGLA * 71, "ucs2", 71, 2),
        (BANGLA * 134, "ucs2", 134, 2),
        (BANGLA * 135, "ucs2", 135, 3),
        (EMOJI * 35, "ucs2", 70, 1),
        (EMOJI * 36, "ucs2", 72, 2),
        ("a" * 66 + EMOJI + "a" * 5, "ucs2", 73, 2),
        ("", "gsm7", 0, 0),
    ],
)
def test_the_vectors_of_the_reference(text: str, encoding: str, units: int, segments: int) -> None:
    counted = count(text)
    assert (counted.encoding, counted.units, counted.segments) == (encoding, units, segments)


@pytest.mark.parametrize("text", ["“", "–", "…", "`", "\t", "\u00a0", "ç", "á", "₱", "৳", EMOJI, BANGLA, "م"])
def test_one_character_outside_the_alphabet_turns_the_whole_message(text: str) -> None:
    assert count("a" * 100 + text).encoding is Encoding.UCS2
    assert count("a" * 100 + text).culprits == text


def test_the_alphabet_is_that_of_the_standard() -> None:
    assert (len(BASIC), len(EXTENDED)) == (127, 10)
    assert "Ç" in BASIC
    assert BASIC.isdisjoint(EXTENDED)


def test_the_culprits_are_named_once_each_in_order() -> None:
    assert count("“Habari” – “sawa”").culprits == "“”–"


def test_a_text_is_made_plain_without_touching_letters() -> None:
    assert plain("“Don’t – wait…”\u200b José ç") == '"Don\'t - wait..." José ç'
    assert count(plain("Don’t wait…")).encoding is Encoding.GSM7


def test_a_text_is_normalised() -> None:
    assert normalise("e\u0301\r\nx  \n") == "é\nx"


def _parts_of(text: str, sizes: tuple[int, int], widths: list[int]) -> int:
    """How a sender really cuts: characters one by one, no pair in two."""
    if sum(widths) <= sizes[0]:
        return 1 if text else 0
    parts: list[int] = [0]
    for width in widths:
        if parts[-1] + width > sizes[1]:
            parts.append(0)
        parts[-1] += width
    return len(parts)


@given(st.text(st.sampled_from("aé€[^\n"), max_size=700))
def test_a_text_of_the_alphabet_is_counted_as_it_is_cut(text: str) -> None:
    widths = [2 if one in EXTENDED else 1 for one in text]
    assert (count(text).encoding, count(text).segments) == (Encoding.GSM7, _parts_of(text, (160, 153), widths))


@given(st.text(st.sampled_from("aক😀€"), max_size=300))
def test_other_texts_take_the_units_of_utf_16(text: str) -> None:
    counted = count(text + BANGLA)
    widths = [len(one.encode("utf-16-be")) // 2 for one in text + BANGLA]
    assert (counted.units, counted.segments) == (sum(widths), _parts_of(text + BANGLA, (70, 67), widths))

"""How many parts a text costs before it is sent: GSM 03.38 counting, for the preview.

Pure. One character outside the GSM alphabet turns the whole message into UCS-2, where a part holds less than half.
Pairs (an escaped character, an emoji) are never split between parts, so there may be more parts than the plain
division gives. Source: 3GPP TS 23.038; part sizes as the bulk providers bill them. National shift tables are left out:
providers rarely take them.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")  # an escape before it: two septets


class Encoding(StrEnum):
    GSM7 = "gsm7"
    UCS2 = "ucs2"


#: Units of a message of one part, and of each part of a longer one (the rest is the header that joins them).
_SIZES = {Encoding.GSM7: (160, 153), Encoding.UCS2: (70, 67)}


@dataclass(frozen=True, slots=True)
class Count:
    """``units``: septets or UTF-16 units. ``culprits``: the characters that keep the text out of GSM, in order."""

    encoding: Encoding
    units: int
    segments: int
    culprits: str = ""


def count(text: str) -> Count:
    """What sending ``text`` as it stands takes. An empty text takes no part."""
    culprits = "".join(dict.fromkeys(one for one in text if one not in BASIC and one not in EXTENDED))
    encoding = Encoding.UCS2 if culprits else Encoding.GSM7
    widths = [_width(character, encoding) for character in text]
    whole, part = _SIZES[encoding]
    units = sum(widths)
    segments = (1 if units else 0) if units <= whole else _parts(widths, part)
    return Count(encoding, units, segments, culprits)


def _width(character: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM7:
        return 2 if character in EXTENDED else 1
    return 2 if ord(character) > 0xFFFF else 1


def _parts(widths: list[int], size: int) -> int:
    parts, room = 1, size
    for width in widths:
        if width > room:
            parts, room = parts + 1, size
        room -= width
    return parts


def normalise(text: str) -> str:
    """Same words, fewer surprises: one kind of line end, no space at the end, composed letters."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n")).rstrip()


_PLAIN = str.maketrans(
    {
        **dict.fromkeys("’‘", "'"),
        **dict.fromkeys("“”", '"'),
        **dict.fromkeys("–—", "-"),
        "…": "...",
        "`": "'",
        **dict.fromkeys("\u00a0\u202f\t", " "),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff", ""),
    }
)


def plain(text: str) -> str:
    """``text`` with typographic characters replaced by their plain kin, which a writer is shown before he sends it.

    Letters are left alone: a name is never changed in silence.
    """
    return text.translate(_PLAIN)

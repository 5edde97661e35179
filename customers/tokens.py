"""How names, codes and numbers become search tokens. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

MAX_TOKEN = 40
#: Prefix of tokens that hold a number backwards, so that its ending is found by range.
REVERSED = "~"


def words(text: str) -> list[str]:
    """Lower-case words without accents; anything but letters, marks and digits divides them."""
    flat = unicodedata.normalize("NFKD", text).lower()
    kept = "".join(
        "" if unicodedata.category(character) == "Mn" and ord(character) < 0x370 else character for character in flat
    )
    divided = "".join(character if unicodedata.category(character)[0] in "LNM" else " " for character in kept)
    return [word[:MAX_TOKEN] for word in divided.split()]


def digits(text: str) -> str:
    return "".join(character for character in text if character in "0123456789")


def of_text(text: str) -> set[str]:
    """Tokens of a name or an address; of a code or user name also its form without dividers."""
    found = words(text)
    joined = "".join(found)[:MAX_TOKEN]
    return {*found, joined} - {""}


def of_number(text: str) -> set[str]:
    """Tokens of a number: forwards, and backwards so that the last digits find it."""
    plain = digits(text)[:MAX_TOKEN]
    return {plain, (REVERSED + plain[::-1])[:MAX_TOKEN]} if plain else set()


def of_many(texts: Iterable[str], numbers: Iterable[str]) -> set[str]:
    tokens: set[str] = set()
    for text in texts:
        tokens |= of_text(text)
    for number in numbers:
        tokens |= of_number(number)
    return tokens


def ranges(query: str) -> list[list[tuple[str, str]]]:
    """What to look for: every word must be met by one of its ranges ``[low, high)``."""
    wanted: list[list[tuple[str, str]]] = []
    for word in _words_of_query(query):
        options = [_prefix(word)]
        if word.isascii() and word.isdigit():
            options.append(_prefix(REVERSED + word[::-1]))
            if word.startswith("0") and len(word) > 3:
                options.append(_prefix(REVERSED + word[:0:-1]))  # 0712… finds +254712…
        wanted.append(options)
    return wanted


def _words_of_query(query: str) -> list[str]:
    """A telephone number written with blanks and dashes is one word."""
    plain = digits(query)
    is_number = all(character in "0123456789 +-()./" for character in query)
    return [plain] if is_number and len(plain) >= 7 else words(query)


def _prefix(text: str) -> tuple[str, str]:
    return text, text + "\U0010ffff"


def alias(text: str) -> str:
    """What a payer typed as account, in the one form it is compared in: no blanks, dashes or #, upper case."""
    return "".join(character for character in text.upper() if character.isalnum())[:MAX_TOKEN]

"""The RouterOS API on the wire: lengths, words, sentences. Pure; knows no socket and no menu.

A word is its length, in one to five bytes, and its bytes; a sentence is words and an empty word. Text is UTF-8; what is
not (the router's charset is whatever the last writer used) is read with replacement characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

MAX_WORD = 8_000_000  # bytes; longer than any answer we ask for: the stream is out of step


class CodecError(ValueError):
    """The stream cannot be understood any more: the connection must be closed."""


def encode_length(length: int) -> bytes:
    """The length in its shortest form. Raises CodecError for what does not fit into 32 bits."""
    if length < 0x80:
        return bytes([length])
    if length < 0x4000:
        return (length | 0x8000).to_bytes(2, "big")
    if length < 0x200000:
        return (length | 0xC00000).to_bytes(3, "big")
    if length < 0x10000000:
        return (length | 0xE0000000).to_bytes(4, "big")
    if length <= 0xFFFFFFFF:
        return b"\xf0" + length.to_bytes(4, "big")
    raise CodecError("a word of more than 4 GB")


def decode_length(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """(length, position after it), or None while bytes are missing. Raises CodecError for a reserved byte."""
    if at >= len(data):
        return None
    first = data[at]
    if first < 0x80:
        return first, at + 1
    if first < 0xC0:
        size, mask = 2, 0x3FFF
    elif first < 0xE0:
        size, mask = 3, 0x1FFFFF
    elif first < 0xF0:
        size, mask = 4, 0x0FFFFFFF
    elif first < 0xF8:
        size, mask = 5, 0xFFFFFFFF
    else:
        raise CodecError(f"reserved control byte 0x{first:02x}")
    if at + size > len(data):
        return None
    return int.from_bytes(data[at : at + size], "big") & mask, at + size


def encode_sentence(words: Iterable[str]) -> bytes:
    """Words, each with its length, and the empty word. Raises CodecError for an empty word inside."""
    parts = []
    for word in words:
        raw = word.encode("utf-8", "replace")
        if not raw:
            raise CodecError("a sentence has no empty words")
        parts += [encode_length(len(raw)), raw]
    return b"".join([*parts, b"\0"])


class Decoder:
    """Bytes in, however they are cut; whole sentences out."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._words: list[str] = []

    def feed(self, data: bytes) -> Iterator[list[str]]:
        """Yield each sentence that ``data`` completes; empty ones are left out. Raises CodecError."""
        self._data += data
        at = 0
        while (found := decode_length(self._data, at)) is not None:
            length, start = found
            if length > MAX_WORD:
                raise CodecError(f"a word of {length} bytes")
            if start + length > len(self._data):
                break
            at = start + length
            if length:
                self._words.append(self._data[start:at].decode("utf-8", "replace"))
            elif self._words:
                sentence, self._words = self._words, []
                yield sentence
        del self._data[:at]


def attributes(words: Iterable[str]) -> dict[str, str]:
    """``=name=value`` words as a dictionary; the value may contain ``=``."""
    found = {}
    for word in words:
        if word.startswith("="):
            name, _, value = word[1:].partition("=")
            found[name] = value
    return found

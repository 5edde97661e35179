"""The sentences of the RouterOS API on the wire.

A sentence is words and a closing empty word; a word is its length and its bytes. The length takes one to five
bytes, big endian; the highest bits of the first byte tell how many. A first byte of 0xF8 or above is reserved
for control and ends the conversation.

Words are text inside the simulator. Bytes that are not UTF-8 survive a round trip (surrogateescape), since
the protocol declares no charset and gives back what the writer sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

RESERVED_FROM = 0xF8
WORD_LIMIT_BYTES = 64 * 1024 * 1024  # guards the test machine; a device runs out of memory far earlier

_SHORT = [bytes([length]) for length in range(0x80)]


class WireError(Exception):
    """The peer sent something after which the stream cannot be understood: the connection must end."""


class ControlByte(WireError):
    """A reserved first byte (0xF8 or above) stood where a length belongs."""


def length_encode(length: int) -> bytes:
    """The bytes announcing a word of ``length`` bytes, in the shortest form."""
    if length < 0x80:
        return _SHORT[length]
    if length < 0x4000:
        return (length | 0x8000).to_bytes(2, "big")
    if length < 0x200000:
        return (length | 0xC00000).to_bytes(3, "big")
    if length < 0x10000000:
        return (length | 0xE0000000).to_bytes(4, "big")
    return b"\xf0" + length.to_bytes(4, "big")


def length_decode(buffer: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """(length of the word, position after the length) read at ``at``; None while bytes are missing."""
    if at >= len(buffer):
        return None
    first = buffer[at]
    if first < 0x80:
        return first, at + 1
    if first >= RESERVED_FROM:
        raise ControlByte(f"reserved control byte 0x{first:02X}")
    if first < 0xC0:
        size, mask = 2, 0x3FFF
    elif first < 0xE0:
        size, mask = 3, 0x1FFFFF
    elif first < 0xF0:
        size, mask = 4, 0x0FFFFFFF
    else:
        size, mask = 5, 0xFFFFFFFF
    if at + size > len(buffer):
        return None
    return int.from_bytes(buffer[at : at + size], "big") & mask, at + size


def sentence_encode(words: Iterable[str]) -> bytes:
    """The words with their lengths, closed by the empty word."""
    parts: list[bytes] = []
    for word in words:
        data = word.encode("utf-8", "surrogateescape")
        parts.append(_SHORT[len(data)] if len(data) < 0x80 else length_encode(len(data)))
        parts.append(data)
    parts.append(b"\0")
    return b"".join(parts)


class Decoder:
    """Turns the bytes of one connection into sentences, however they are cut into packets."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._words: list[str] = []

    def feed(self, data: bytes) -> Iterator[list[str]]:
        """Yield each sentence that ``data`` completes; empty sentences are dropped.

        Raises ControlByte and WireError after the sentences before the fault were yielded.
        """
        self._buffer += data
        at = 0
        try:
            while (found := length_decode(self._buffer, at)) is not None:
                length, start = found
                if length > WORD_LIMIT_BYTES:
                    raise WireError(f"a word of {length} bytes")
                if start + length > len(self._buffer):
                    break
                at = start + length
                if length:
                    word = bytes(self._buffer[start:at])
                    self._words.append(word.decode("utf-8", "surrogateescape"))
                elif self._words:
                    sentence, self._words = self._words, []
                    yield sentence
        finally:
            del self._buffer[:at]

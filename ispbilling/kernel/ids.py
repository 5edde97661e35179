"""Public identifiers: UUID version 7, ordered by time, made here because PostgreSQL learns them only in 18."""

from __future__ import annotations

import secrets
import time
import uuid

_BASE32 = "ABCDEFGHJKMNPQRSTVWXYZ0123456789"  # no I, L, O, U: people read these aloud


def uuid7() -> uuid.UUID:
    """A new UUID v7 (RFC 9562): 48 bits of milliseconds, 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    value |= secrets.randbits(12) << 64
    value |= 0b10 << 62
    value |= secrets.randbits(62)
    return uuid.UUID(int=value)


def short_code(length: int) -> str:
    """Random letters and digits that survive being read over the telephone."""
    return "".join(secrets.choice(_BASE32) for _ in range(length))


def url_token() -> str:
    """An unguessable path part: 32 lower-case hexadecimal digits (128 bits)."""
    return secrets.token_hex(16)


def is_token(text: str) -> bool:
    """Whether a path part could be one of ours: what cannot is not asked for in the database."""
    return len(text) == 32 and set(text) <= set("0123456789abcdef")

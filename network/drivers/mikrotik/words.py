"""RouterOS' way of writing values, and ours."""

from __future__ import annotations

import re
from decimal import Decimal

_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:\d+ms)?$")
_CLOCK = re.compile(r"(?:(\d+)d )?(\d+):(\d\d):(\d\d)(?:\.\d+)?$")
_RATE = re.compile(r"(\d+(?:\.\d+)?)([kKmMgG]?)(?:bps)?$")
_NO_RATES = re.compile(r"0[kKmMgG]?(?:/0[kKmMgG]?)?$")
_USUAL_PRIORITY = ("8", "8/8")
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}


def seconds(text: str) -> int:
    """``1w2d3h4m5s`` or ``01:02:03``; 0 for what cannot be read: an uptime decides nothing by itself."""
    match = _DURATION.match(text)
    if match and text:
        weeks, days, hours, minutes, rest = (int(part or 0) for part in match.groups())
        return (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + rest
    match = _CLOCK.match(text)
    if match:
        days, hours, minutes, rest = (int(part or 0) for part in match.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + rest
    return 0


def is_true(text: str) -> bool:
    return text.lower() in ("true", "yes", "1")


def count(text: str | None) -> int | None:
    """A counter, or None where the router does not tell it."""
    return int(text) if text is not None and text.isdigit() else None


def rate_limit(download_kbps: int | None, upload_kbps: int | None) -> str:
    """The ``rate-limit`` of a profile: ``up/down``, since the router receives what the client uploads."""
    if download_kbps is None and upload_kbps is None:
        return ""
    return f"{_rate(upload_kbps)}/{_rate(download_kbps)}"


def rates(text: str) -> tuple[int | None, int | None]:
    """(download, upload) in kbps of a ``rate-limit``; bursts are left out. None = not limited.

    A limit this system would not write (a burst, a rate that is not whole kilobits) is told apart as (-1, -1), so that
    it counts as different from every wish.
    """
    first, *more = text.split() or [""]
    if not first:
        return None, None
    up, _, down = first.partition("/")
    upload, download = _kbps(up), _kbps(down or up)
    if _says_more(more) or -1 in (upload, download):
        return -1, -1
    return download, upload


def _says_more(parts: list[str]) -> bool:
    """Whether bursts, priority or guaranteed rates are set. ``parts``: burst, threshold, time, priority, least rate."""
    return any(not _NO_RATES.match(part) for part in (*parts[:1], *parts[4:])) or any(
        part not in _USUAL_PRIORITY for part in parts[3:4]
    )


def _rate(kbps: int | None) -> str:
    return "0" if kbps is None else f"{kbps}k"


def _kbps(text: str) -> int | None:
    match = _RATE.match(text)
    if match is None:
        return -1
    bits = Decimal(match[1]) * _UNITS[match[2].lower()]
    if bits == 0:
        return None
    return -1 if bits % 1000 else int(bits // 1000)

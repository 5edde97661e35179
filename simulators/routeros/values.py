"""How RouterOS writes values: everything is text; these functions read and write the kinds that have a shape."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

_TRUE, _FALSE = frozenset({"yes", "true"}), frozenset({"no", "false"})
_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?\Z")
_CLOCK_DURATION = re.compile(r"(?:(\d+)d ?)?(\d+):(\d\d):(\d\d)\Z")
_RATE = re.compile(r"(\d+)([kMG]?)\Z")
_RATE_UNITS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEK_S, _DAY_S, _HOUR_S, _MINUTE_S = 604_800, 86_400, 3_600, 60


def bool_parse(text: str) -> bool:
    """yes/no and true/false as a boolean. Raises ValueError for anything else."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(text)


def bool_text(value: bool) -> str:
    return "true" if value else "false"


def duration_parse(text: str) -> int:
    """Seconds of ``1w2d3h4m5s``, ``[1d ]01:02:03`` or plain seconds. Raises ValueError."""
    if text.isdecimal():
        return int(text)
    if text and (match := _DURATION.match(text)):
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return weeks * _WEEK_S + days * _DAY_S + hours * _HOUR_S + minutes * _MINUTE_S + seconds
    if match := _CLOCK_DURATION.match(text):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return days * _DAY_S + hours * _HOUR_S + minutes * _MINUTE_S + seconds
    raise ValueError(text)


def duration_text(seconds: float) -> str:
    """Whole seconds as ``1w2d3h4m5s`` without zero parts; zero is ``0s``."""
    left = int(seconds)
    parts = []
    for unit, size in (("w", _WEEK_S), ("d", _DAY_S), ("h", _HOUR_S), ("m", _MINUTE_S), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def rate_parse(text: str) -> int:
    """Bits per second of ``512000``, ``1500k``, ``5M`` or ``1G`` (decimal units). Raises ValueError."""
    if match := _RATE.match(text):
        return int(match[1]) * _RATE_UNITS[match[2]]
    raise ValueError(text)


def pair(text: str) -> tuple[str, str]:
    """Both sides of ``a/b``; a single value stands for both."""
    first, slash, second = text.partition("/")
    return (first, second) if slash else (first, first)


def rate_pair_text(text: str) -> str:
    """``5M/10M`` as the router prints it: ``5000000/10000000``. Raises ValueError."""
    up, down = pair(text)
    return f"{rate_parse(up)}/{rate_parse(down)}"


class RateLimit(NamedTuple):
    """A rate-limit string taken apart; every pair is rx/tx as the router sees it = upload/download.

    ``rx_bps`` and ``tx_bps`` are bits per second, 0 = not limited; the rest is text as a queue prints it.
    """

    rx_bps: int
    tx_bps: int
    burst_limit: str = "0/0"
    burst_threshold: str = "0/0"
    burst_time: str = "0s/0s"
    priority: str = "8/8"
    limit_at: str = "0/0"

    @property
    def max_limit(self) -> str:
        return f"{self.rx_bps}/{self.tx_bps}"


@lru_cache(maxsize=1024)
def rate_limit_parse(text: str) -> RateLimit:
    """Take ``rx/tx [burst [threshold [time [priority [min]]]]]`` apart; empty = no limit. Raises ValueError."""
    fields = text.split()
    if len(fields) > 6:
        raise ValueError(text)
    rates = [rate_pair_text(field) for field in fields[:3]] or ["0/0"]
    rx_bps, tx_bps = (int(side) for side in rates[0].split("/"))
    limit = RateLimit(rx_bps, tx_bps)
    if len(rates) > 1:
        threshold = rates[2] if len(rates) > 2 else rates[0]
        limit = limit._replace(burst_limit=rates[1], burst_threshold=threshold, burst_time="1s/1s")
    if len(fields) > 3:
        times = (duration_text(duration_parse(side)) for side in pair(fields[3]))
        limit = limit._replace(burst_time="/".join(times))
    if len(fields) > 4:
        priorities = pair(fields[4])
        if not all(side in set("12345678") for side in priorities):
            raise ValueError(text)
        limit = limit._replace(priority="/".join(priorities))
    if len(fields) > 5:
        limit = limit._replace(limit_at=rate_pair_text(fields[5]))
    return limit


@lru_cache(maxsize=256)
def ranges_parse(text: str) -> tuple[tuple[int, int], ...]:
    """First and last address (as integers) of each part of ``a-b,c,d/24``. Raises ValueError."""
    found = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if dash:
            low, high = int(ipaddress.IPv4Address(first)), int(ipaddress.IPv4Address(last))
        else:
            network = ipaddress.IPv4Network(first, strict=False)
            low, high = int(network.network_address), int(network.broadcast_address)
        if high < low:
            raise ValueError(text)
        found.append((low, high))
    return tuple(found)


def is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def address_or_network(text: str) -> str:
    """An address-list entry as the router prints it: address, a-b, CIDR (``/32`` dropped) or DNS name.

    Raises ValueError for an empty text and for addresses that are none.
    """
    if re.fullmatch(r"[0-9./-]+", text):
        ranges_parse(text)
        return text.removesuffix("/32")
    if not re.fullmatch(r"[A-Za-z0-9*_-]+(\.[A-Za-z0-9_-]+)*\.?", text):
        raise ValueError(text)
    return text


def version_parse(text: str) -> tuple[int, ...]:
    """``7.16.1 (stable)`` as (7, 16, 1), to be compared. Raises ValueError when there is no number in it."""
    match = re.match(r"\d+(?:\.\d+)*", text)
    if match is None:
        raise ValueError(f"not a RouterOS version: {text!r}")
    return tuple(int(part) for part in match[0].split("."))


def date_text(at: datetime, version: tuple[int, ...]) -> str:
    """``2026-11-20`` from 7.10 on, ``nov/20/2026`` before."""
    if version >= (7, 10):
        return at.strftime("%Y-%m-%d")
    return f"{_MONTHS[at.month - 1]}/{at.day:02}/{at.year}"


def moment_text(at: datetime, version: tuple[int, ...]) -> str:
    return f"{date_text(at, version)} {at:%H:%M:%S}"

"""Many subscribers at once, named by a pattern: ``{n}`` in a text is the number, formatted as Python does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import commands, schema
from .commands import Command
from .device import Device
from .sessions import Cpe, Sessions


def secrets_add(device: Device, numbers: Iterable[int], columns: Mapping[str, str]) -> int:
    """Secrets added by hand, every column by its pattern; returns how many. Raises Trap at the first that is refused,
    ValueError for a pattern that cannot be read."""
    count = 0
    for number in numbers:
        words = [f"={name}={fill(text, number)}" for name, text in columns.items()]
        commands.carry_out_at_once(device, Command.parse([f"{schema.SECRET.path}/add", *words]))
        count += 1
    return count


def cpes_add(sessions: Sessions, numbers: Iterable[int], name: str, password: str, options: Mapping[str, Any]) -> int:
    """Boxes of subscribers, dialled at once (with ``autodial``); returns how many are online now."""
    names = []
    for number in numbers:
        filled = fill(name, number)
        sessions.cpes[filled] = cpe(filled, fill(password, number), mac(number), options)
        names.append(filled)
    sessions.redial(names)
    return sum(bool(sessions.of(filled)) for filled in names)


def cpe(name: str, password: str, mac_address: str, options: Mapping[str, Any]) -> Cpe:
    """Raises ValueError for an option a box does not have."""
    known = ("autodial", "download_bps", "upload_bps")
    for option in options:
        if option not in known:
            raise ValueError(f"a box has no {option!r}; there are {', '.join(known)}")
    return Cpe(name, password, mac_address, **options)


def numbers(count: int, start: int, name: str) -> range:
    """Raises ValueError for names that would not differ."""
    if count > 1 and fill(name, start) == fill(name, start + 1):
        raise ValueError(f"{name!r} names one subscriber only: put {{n}} into it")
    return range(start, start + count)


def fill(pattern: str, number: int) -> str:
    try:
        return pattern.format(n=number)
    except (KeyError, IndexError, AttributeError) as error:
        raise ValueError(f"{pattern!r}: only {{n}} is known") from error


def mac(number: int) -> str:
    """A MAC address of its own for each number."""
    return "02:" + ":".join(f"{number >> shift & 0xFF:02X}" for shift in (32, 24, 16, 8, 0))

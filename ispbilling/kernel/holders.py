"""Who holds something for a while, so that nobody waits for the dead.

A holder is a process of a machine since a boot, and the time it was started at, since pids are given again. Of another
machine's holder nothing is known: it is believed until its time is over.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Hashable
from functools import cache
from pathlib import Path

#: What this process holds now.
_held: set[Hashable] = set()


def hold(what: Hashable) -> None:
    """Remember that this process holds something."""
    _held.add(what)


def let_go(what: Hashable) -> None:
    """It does not any more, whether or not that could be written down."""
    _held.discard(what)


def is_left_behind(holder: str, what: Hashable) -> bool:
    """Whether nobody holds it any more: its holder is gone, or is this process, which let go of it."""
    return is_gone(holder) or (holder == me() and what not in _held)


def me() -> str:
    """This process."""
    return _holder(os.getpid())


@cache
def _holder(pid: int) -> str:
    return f"{socket.gethostname()[:40]} {_boot()} {pid} {_started(pid)}"


def is_gone(holder: str) -> bool:
    """Whether a holder was a process of this machine and is not any more."""
    host, boot, pid, started = (holder.split(" ") + [""] * 4)[:4]
    if host != socket.gethostname()[:40] or not pid.isdigit():
        return False
    return boot != _boot() or _started(int(pid)) != started


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]


def _started(pid: int) -> str:
    """Clock ticks from boot to the start of a process; empty when there is none, or only its corpse."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in ("Z", "X") else fields[19]

"""Who holds something for a while, so that nobody waits for the dead.

A holder is a process of a machine since a boot, and the time it was started at, since pids are given again. Of another
machine's holder nothing is known: it is believed until its time is over.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path


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

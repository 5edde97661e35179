"""Named places where a test may stop, break or kill the process. Does nothing unless test settings arm it.

``FAILPOINTS_DIR`` (None outside tests, refused by production) is a folder; a file named like the failpoint says what
happens there: ``raise``, ``kill`` (SIGKILL to this process) or ``wait`` (until the file is gone). When a process
reaches an armed place it first writes ``<name>.reached``. ``FAILPOINTS`` is the whole list: an unknown name is a bug.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from django.conf import settings

FAILPOINTS = frozenset(
    {
        "events.after_handler",
        "payments.start.before_call",
        "payments.start.after_call",
        "payments.event.stored",
        "payments.settle.before_commit",
        "billing.receipt.after_receipt_row",
        "billing.receipt.before_commit",
        "billing.cycle.before_commit",
        "network.converge.before_apply",
        "network.converge.after_apply",
        "network.converge.before_record",
        "sms.send.before_call",
        "sms.send.after_call",
    }
)


class FailpointHit(RuntimeError):
    """Raised by an armed failpoint."""


def failpoint(name: str) -> None:
    """Stand at the place ``name``."""
    folder: str | None = settings.FAILPOINTS_DIR
    if folder is None:
        return
    if name not in FAILPOINTS:
        raise LookupError(f"failpoint {name!r} is not in the list")
    armed = Path(folder) / name
    try:
        action = armed.read_text().strip()
    except FileNotFoundError:
        return
    (Path(folder) / f"{name}.reached").write_text(str(os.getpid()))
    if action == "raise":
        raise FailpointHit(name)
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    while action == "wait" and armed.exists():
        time.sleep(0.01)

"""Named places where a test may stop, break or kill the process. Does nothing unless test settings arm it.

``FAILPOINTS_DIR`` (None outside tests, refused by production) is a folder; a file named like the failpoint says what
happens there: ``raise``, ``kill`` (SIGKILL to this process, once: the file is gone then) or ``wait`` (until the file is
gone). When a process reaches an armed place it first writes ``<name>.reached``. ``FAILPOINTS`` is the whole list: an
unknown name is a bug.
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
        "events.before_commit",
        "kernel.bulk.before_commit",
        "payments.start.before_commit",
        "payments.start.before_call",
        "payments.start.after_call",
        "payments.event.stored",
        "payments.event.before_commit",
        "payments.settle.before_commit",
        "payments.query.before_call",
        "payments.query.after_call",
        "billing.receipt.after_receipt_row",
        "billing.receipt.after_post",
        "billing.receipt.after_subscription",
        "billing.receipt.before_commit",
        "billing.cycle.before_commit",
        "billing.renew.before_commit",
        "billing.remind.before_commit",
        "network.lines.before_commit",
        "network.converge.before_apply",
        "network.converge.after_apply",
        "network.converge.before_record",
        "network.converge.after_record",
        "sms.queue.before_commit",
        "sms.claim.before_commit",
        "sms.send.before_call",
        "sms.send.after_call",
        "sms.record.before_commit",
        "sms.report.before_commit",
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
        armed.unlink(missing_ok=True)  # whoever is started in our place lives
        os.kill(os.getpid(), signal.SIGKILL)
    while action == "wait" and armed.exists():
        time.sleep(0.01)

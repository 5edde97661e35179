"""Signs of life: the beat fires a tiny task into each queue, and the worker that gets it writes a row.

A fresh row proves the whole way: beat, broker, a worker of that queue, and the database it writes to.
"""

from __future__ import annotations

from django.db import transaction

from ispbilling.kernel import clock
from ispbilling.kernel.models import Heartbeat


@transaction.atomic
def beat(queue: str) -> None:
    Heartbeat.objects.update_or_create(queue=queue, defaults={"at": clock.machine_now()})

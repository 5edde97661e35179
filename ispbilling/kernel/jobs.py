"""Scheduled jobs take place once per period, however often and from wherever they are fired."""

from __future__ import annotations

from django.db import connection, transaction

from ispbilling.kernel import clock
from ispbilling.kernel.ids import uuid7


@transaction.atomic
def claim(job: str, period: str) -> bool:
    """Whether this firing of ``job`` is the first for ``period``.

    The row stays: a job that dies afterwards is done again in the next period, not in this one.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_jobrun (id, job, period, ran_at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [uuid7(), job, period, clock.machine_now()],
        )
        return bool(cursor.rowcount == 1)

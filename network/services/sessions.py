"""Sessions as routers tell them: opened, counted, closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from ispbilling.kernel import clock
from network.drivers.base import SessionSeen
from network.models import Line, Router, Session


@transaction.atomic
def sessions_record(*, router_id: UUID, seen: Sequence[SessionSeen], uptime_s: int) -> None:
    """Write one reading of a router: what is there is open, what is not there any more has stopped.

    Counters never run backwards: a session's bytes are the largest reading, and a new session has a new key.
    """
    now = clock.machine_now()
    lines = dict(Line.objects.filter(router_id=router_id).values_list("username", "id"))
    open_rows = {
        (row.line_id, row.key): row
        for row in Session.objects.select_for_update(no_key=True)
        .filter(router_id=router_id, stopped_at=None)
        .order_by("id")
    }
    fresh: list[Session] = []
    kept: list[Session] = []
    for reading in seen:
        line_id = lines.get(reading.username)
        if line_id is None:
            continue
        row = open_rows.pop((line_id, reading.key), None)
        if row is None:
            row = Session(
                line_id=line_id,
                router_id=router_id,
                key=reading.key[:60],
                started_at=now - timedelta(seconds=reading.uptime_s),
            )
            fresh.append(row)
        else:
            kept.append(row)
        row.address, row.mac, row.seen_at = reading.address[:45], reading.mac[:17], now
        row.download_bytes = max(row.download_bytes, reading.download_bytes or 0)
        row.upload_bytes = max(row.upload_bytes, reading.upload_bytes or 0)
        row.readings += 1
    gone = list(open_rows.values())
    for row in gone:
        row.stopped_at = now
    Session.objects.bulk_create(fresh)
    fields = ["address", "mac", "seen_at", "download_bytes", "upload_bytes", "readings"]
    Session.objects.bulk_update(kept, fields, batch_size=1000)
    Session.objects.bulk_update(gone, ["stopped_at"], batch_size=1000)
    Router.objects.filter(id=router_id).update(polled_at=now, uptime_s=uptime_s)

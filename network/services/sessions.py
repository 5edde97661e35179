"""Sessions as routers tell them: opened, counted, closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from billing.entitlement import Level
from ispbilling.kernel import clock, live
from network.drivers.base import SessionSeen
from network.models import Acknowledgement, Line, Router, Session


@transaction.atomic
def sessions_record(*, router_id: UUID, seen: Sequence[SessionSeen], uptime_s: int) -> None:
    """Write one reading of a router: what is there is open, what is not there any more has stopped.

    Counters never run backwards: a session's bytes are the largest reading, and a new session has a new key. A line
    that has dialled again since left its old session then, not when we came to look.
    """
    now = clock.machine_now()
    lines, customers = {}, {}
    rows = Line.objects.filter(router_id=router_id).values_list("username", "id", "customer_id")
    for username, line_id, customer_id in rows:
        lines[username], customers[line_id] = line_id, customer_id
    before_s = Router.objects.filter(id=router_id).values_list("uptime_s", flat=True).first()
    is_restarted = before_s is not None and uptime_s < before_s
    open_sessions = Session.objects.select_for_update(no_key=True).filter(router_id=router_id, stopped_at=None)
    open_rows = {
        (line_id, key): row for row, line_id, key in open_sessions.order_by("id").values_list("id", "line_id", "key")
    }
    fresh: list[Session] = []
    kept: list[tuple[UUID, str, str, int, int]] = []
    for reading in seen:
        line_id = lines.get(reading.username)
        if line_id is None:
            continue
        down, up = reading.download_bytes or 0, reading.upload_bytes or 0
        row = open_rows.pop((line_id, reading.key[:60]), None)
        if row is not None:
            kept.append((row, reading.address[:45], reading.mac[:17], down, up))
            continue
        fresh.append(
            Session(
                line_id=line_id,
                router_id=router_id,
                key=reading.key[:60],
                address=reading.address[:45],
                mac=reading.mac[:17],
                started_at=now - timedelta(seconds=reading.uptime_s),
                seen_at=now,
                download_bytes=down,
                upload_bytes=up,
                readings=1,
            )
        )
    Session.objects.bulk_create(fresh)
    _carry_on(kept, now)
    _stop(
        list(open_rows.values()), now, followed={row.line_id: row.started_at for row in fresh}, restarted=is_restarted
    )
    Router.objects.filter(id=router_id).update(polled_at=now, uptime_s=uptime_s)
    changed = {row.line_id for row in fresh}.union(line_id for line_id, _ in open_rows)
    if changed:
        live.say("sessions", *{f"customer:{customers[line_id]}" for line_id in changed if line_id in customers})


def _carry_on(kept: Sequence[tuple[UUID, str, str, int, int]], now: datetime) -> None:
    """(session, address, mac, download, upload) of sessions that are still there, in one statement."""
    if not kept:
        return
    ids, addresses, macs, downs, ups = zip(*kept, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE network_session s SET address = r.address, mac = r.mac, seen_at = %s, readings = s.readings + 1,"
            " download_bytes = greatest(s.download_bytes, r.down), upload_bytes = greatest(s.upload_bytes, r.up)"
            " FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::bigint[])"
            " AS r(id, address, mac, down, up) WHERE s.id = r.id",
            [now, list(ids), list(addresses), list(macs), list(downs), list(ups)],
        )


def _stop(ids: Sequence[UUID], now: datetime, *, followed: Mapping[UUID, datetime], restarted: bool) -> None:
    """Close sessions that are not there any more, each with the reason: a wish that came after it began ended it.

    ``followed``: line → when its next session began.
    """
    offset = clock.offset()
    rows = list(Session.objects.filter(id__in=ids).select_related("line"))
    if not rows:
        return
    earlier = Acknowledgement.objects.filter(
        line_id__in=[row.line_id for row in rows], generation=F("line__generation") - 1
    )
    before = dict(earlier.values_list("line_id", "level"))
    ends: list[str] = []
    stops: list[datetime] = []
    for row in rows:
        wished_at = row.line.wished_at
        end = Session.End.LEFT
        if restarted:
            end = Session.End.RESTART
        elif wished_at is not None and wished_at - offset > row.started_at:
            is_cut = row.line.level in (Level.WALLED, Level.BLOCKED) and before.get(row.line_id) != row.line.level
            end = Session.End.CUT if is_cut else Session.End.RENEWED
        ends.append(end.value)
        stops.append(min(now, max(row.seen_at, followed.get(row.line_id, now))))
    with connection.cursor() as cursor:
        cursor.execute(
            'UPDATE network_session s SET stopped_at = r.stop, "end" = r.why'
            " FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[]) AS r(id, stop, why) WHERE s.id = r.id",
            [[row.id for row in rows], stops, ends],
        )

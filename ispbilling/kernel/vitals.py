"""The kernel's own checks of health: database, Redis, workers, outbox."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ispbilling.kernel import clockwatch, events, health, probes, tenancy
from ispbilling.kernel.health import Asked, Detail, Finding, State
from ispbilling.kernel.models import Event, Heartbeat
from ispbilling.kernel.templatetags.show import local_time

#: A due event that waits this long is late: its worker is woken at once and the sweep looks every few seconds.
LATE = timedelta(minutes=1)
STUCK = timedelta(minutes=10)


def register() -> None:
    health.register("database", title=gettext_lazy("Database"), order=10, check=database)
    health.register("redis", title=gettext_lazy("Redis"), order=11, check=redis)
    health.register("workers", title=gettext_lazy("Workers"), order=12, check=workers)
    health.register("clock", title=gettext_lazy("Clock"), order=9, check=clock_state)
    health.register("outbox", title=gettext_lazy("Work to be done"), order=13, check=outbox)


_CLOCKS: dict[clockwatch.State, tuple[State, str | Promise, str | Promise]] = {
    clockwatch.State.RIGHT: (State.OK, gettext_lazy("The clock of this server is right."), ""),
    clockwatch.State.UNSYNCHRONISED: (
        State.WARN,
        gettext_lazy("No time service has set the clock of this server yet. Nobody is cut until it is set."),
        gettext_lazy("Look at the server's internet and its time service (chrony or systemd-timesyncd)."),
    ),
    clockwatch.State.BEHIND: (
        State.BAD,
        gettext_lazy("The clock of this server stands %(off)s in the past. Nothing is booked and nobody is cut."),
        gettext_lazy("Set the clock: look at the server's internet and its time service, and at the board's battery."),
    ),
    clockwatch.State.JUMPED: (
        State.BAD,
        gettext_lazy("The clock of this server jumped ahead by %(off)s. Nobody is cut until a person has looked."),
        gettext_lazy("If the time shown is right, let the cuts go on at “Coming cuts”. If not, set the clock right."),
    ),
}


def clock_state(_asked: Asked) -> Finding:
    """Whether the machine's clock can be believed, and for how long it has been so."""
    seen = clockwatch.peek()
    state, text, todo = _CLOCKS[seen.state]
    off = str(timedelta(seconds=abs(round(seen.off.total_seconds()))))
    return Finding(state, str(text) % {"off": off}, str(todo))


def database(_asked: Asked) -> Finding:
    """The page itself came out of it; what could still be wrong is a program that is newer than its tables."""
    if probes.readiness().look().get("migrations"):
        return Finding(State.OK, _("PostgreSQL answers and every migration is applied."))
    return Finding(
        State.BAD,
        _("PostgreSQL answers, but a new connection fails or migrations are missing."),
        _("Run manage.py migrate --database owner, and look whether the server has connections left."),
    )


def redis(_asked: Asked) -> Finding:
    if probes.redis_answers():
        return Finding(State.OK, _("Redis answers."))
    return Finding(
        State.WARN,
        _("Redis does not answer. Nothing is lost, but workers are woken by nobody until it does."),
        _("Start Redis again. Pages and payments go on meanwhile."),
    )


def workers(asked: Asked) -> Finding:
    """Beats are written by a task per queue: one that comes late tells of beat, broker or worker."""
    seen = dict(Heartbeat.objects.values_list("queue", "at"))
    limit = timedelta(seconds=settings.HEARTBEAT_INTERVAL_S * 3)
    details, late = [], []
    for queue in settings.QUEUES:
        at = seen.get(queue)
        if at is not None and asked.at - at <= limit:
            details.append(Detail(_("%(queue)s: alive") % {"queue": queue}))
            continue
        late.append(queue)
        text = _("%(queue)s: no sign of life since %(at)s") if at else _("%(queue)s: no sign of life yet")
        words = {"queue": queue, "at": local_time(at, asked.zone)}
        details.append(Detail(text % words, State.BAD))
    if not late:
        return Finding(State.OK, _("All background workers are running."), details=details)
    text = _("Background work stands still: %(queues)s.") % {"queues": ", ".join(late)}
    todo = _("Look whether beat, Redis and the worker of that queue run. What was to be done waits and is not lost.")
    return Finding(State.BAD, text, todo, details)


def outbox(asked: Asked) -> Finding:
    """The own tenant's events by shard, and whether any shard of the installation stands still."""
    # Each state has an index of its own, which a query for both would pass by.
    pending = Event.objects.filter(state=Event.State.PENDING).values("shard")
    shards = {
        row["shard"]: row for row in pending.annotate(pending=Count("id"), oldest=Min("created_at")).order_by("shard")
    }
    parked = Event.objects.filter(state=Event.State.PARKED).count()
    standing = _standing(asked)
    details = [
        _shard(number, shards.get(number), asked, standing.get(number))
        for number in range(events.SHARDS)
        if number in standing or number in shards
    ]
    if parked:
        text = ngettext("%(n)d event is parked.", "%(n)d events are parked.", parked) % {"n": parked}
        details.append(Detail(text, State.BAD, reverse("dashboard:events")))
    states = [detail.state for detail in details]
    if State.BAD in states or State.WARN in states:
        state = State.BAD if State.BAD in states else State.WARN
        text = _("Some of what happened is not passed on.")
        return Finding(state, text, _("Look at parked events and at the worker of the queue “events”."), details)
    waiting = sum(row["pending"] for row in shards.values())
    if waiting:
        text = ngettext("%(n)d event is on its way.", "%(n)d events are on their way.", waiting) % {"n": waiting}
        return Finding(State.OK, text, details=details)
    return Finding(State.OK, _("Nothing is waiting."))


def _shard(number: int, row: dict[str, object] | None, asked: Asked, standing: State | None) -> Detail:
    name = _("Shard %(shard)d") % {"shard": number}
    oldest = row["oldest"] if row else None
    state = standing or State.OK
    if row is None or not isinstance(oldest, datetime):
        return Detail(_("%(name)s: is late") % {"name": name}, state)
    words = {
        "name": name,
        "n": row["pending"],
        "at": local_time(oldest, asked.zone),
        "age": health.age(oldest, asked),
    }
    return Detail(_("%(name)s: %(n)d waiting, the oldest since %(at)s (%(age)s)") % words, state)


def _standing(asked: Asked) -> dict[int, State]:
    """Shards whose oldest due event waits too long, over all tenants: no more than that they do."""
    with tenancy.platform("health: which shards are late"), connection.cursor() as cursor:
        # An event that failed waits for its next try by itself: late is what could be handled and is not.
        cursor.execute(
            "SELECT shard, min(not_before) FROM kernel_event WHERE state = 'pending' AND not_before <= %s"
            " GROUP BY shard HAVING min(not_before) < %s",
            [asked.at, asked.at - LATE],
        )
        found = cursor.fetchall()
    return {shard: State.BAD if asked.at - oldest > STUCK else State.WARN for shard, oldest in found}

"""Readings of a router written down as sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import F

from network.drivers.base import SessionSeen
from network.models import Session
from network.services.sessions import sessions_record
from tests import factories


def test_a_session_that_another_follows_ended_when_that_began(tenant: Any) -> None:
    """The router is read minutes after the box dialled again; whoever only left is seen to be gone by then."""
    line = factories.line_make()
    other = factories.line_make(router=line.router)

    def reading(username: str, key: str, uptime_s: int) -> SessionSeen:
        return SessionSeen(id=key, username=username, key=key, address="10.0.0.2", mac="", uptime_s=uptime_s)

    both = [reading(line.username, "*1", 600), reading(other.username, "*2", 600)]
    sessions_record(router_id=line.router_id, seen=both, uptime_s=1_000)
    Session.objects.update(seen_at=F("seen_at") - timedelta(seconds=300))
    sessions_record(router_id=line.router_id, seen=[reading(line.username, "*3", 100)], uptime_s=1_300)
    old, left, new = Session.objects.order_by("key")
    assert (old.stopped_at, new.stopped_at) == (new.started_at, None)
    assert left.stopped_at == new.seen_at

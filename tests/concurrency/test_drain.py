"""Two workers draining one outbox."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from ispbilling.kernel import events, tenancy
from ispbilling.kernel.models import AuditEntry, Event
from tests import factories
from tests.concurrency.drain_worker import Counted

ROOT = Path(__file__).resolve().parents[2]
KEYS, PER_KEY = 500, 20


def worker(**environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.concurrency.drain_worker"], cwd=ROOT, env={**os.environ, **environment}
    )


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_ten_thousand_events_are_handled_once_each_and_in_order_per_key(committed: None) -> None:
    assert settings.DATABASES["default"]["NAME"] in os.environ["DATABASE_URL"]
    tenant = factories.tenant_make()
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        for number in range(PER_KEY):
            events.emit_many([(Counted(key=f"k{key}", number=number), f"k{key}") for key in range(KEYS)])
        events.emit_many([(Counted(key="poison", number=number), "poison") for number in range(3)])
    workers = [worker(POISON="0"), worker(POISON="0")]
    assert [one.wait(300) for one in workers] == [0, 0]
    with tenancy.tenant_context(tenant.id), transaction.atomic():
        handled: dict[str, list[Any]] = defaultdict(list)
        rows = AuditEntry.objects.filter(verb="test.counted").values_list("row_type", "row_id", "reason", "actor")
        for key, number, moment, actor in rows:
            handled[key].append((int(moment), int(number), actor))
        poisoned = handled.pop("poison", [])
        assert len(handled) == KEYS
        for key, entries in handled.items():
            assert [number for _, number, _ in sorted(entries)] == list(range(PER_KEY)), key
        assert len({actor for entries in handled.values() for _, _, actor in entries}) == 2
        assert poisoned == []
        assert Event.objects.filter(key="poison", state=Event.State.PENDING).count() == 3
        assert Event.objects.exclude(key="poison").exclude(state=Event.State.DONE).count() == 0

"""A worker of its own process for ``test_drain``: drains all shards until nothing more can be handled."""

from __future__ import annotations

import os
import sys
import time

from ispbilling.kernel import events


@events.event("test.counted")
class Counted:
    """For the test of two workers."""

    key: str
    number: int


@events.handler(Counted)
def write_down(event: Counted) -> None:
    """Keep what was handled, when (a clock all processes share) and by whom."""
    from ispbilling.kernel.models import AuditEntry

    AuditEntry.objects.create(
        at="2026-01-01T00:00:00Z",
        actor=f"system:{os.getpid()}",
        verb="test.counted",
        row_type=event.key,
        row_id=str(event.number),
        reason=str(time.monotonic_ns()),
    )
    if event.number == int(os.environ.get("POISON", "-1")) and event.key == "poison":
        raise ValueError("poison")


def main() -> int:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "ispbilling.settings.test"
    django.setup()
    from ispbilling.kernel import outbox

    while sum(outbox.drain(shard) for shard in outbox.due_shards()):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())

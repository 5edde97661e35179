"""Thin: wakes the drainer."""

from __future__ import annotations

from celery import shared_task

from ispbilling.kernel import clock, clockwatch, jobs, outbox, pulse


@shared_task(ignore_result=True)
def events_drain_task(shard: int) -> None:
    """Handle what is due in one shard."""
    outbox.drain(shard)


@shared_task(ignore_result=True)
def events_sweep_task() -> None:
    """Handle what nobody was woken for."""
    for shard in outbox.due_shards():
        outbox.drain(shard)


@shared_task(ignore_result=True)
def clock_look_task() -> None:
    """Keep the clock's last believed reading young, and notice when it is wrong."""
    clockwatch.look()


@shared_task(ignore_result=True)
def events_purge_task() -> None:
    """Forget finished events of long ago, once a day."""
    if jobs.claim("events_purge", f"{clock.machine_now():%Y-%m-%d}"):
        outbox.purge()


@shared_task(ignore_result=True)
def heartbeat_task(queue: str) -> None:
    """Write that a worker of this queue lives."""
    pulse.beat(queue)

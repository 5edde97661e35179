"""Thin: wakes the drainer."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from ispbilling.kernel import bulk, clock, clockwatch, jobs, outbox, pulse, tenancy


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


@shared_task(ignore_result=True)
def bulk_run_task(tenant_and_job: str) -> None:
    """Do what waits of a job: ``<tenant>/<job>``."""
    tenant, _, job = tenant_and_job.partition("/")
    with tenancy.tenant_context(UUID(tenant)):
        bulk.job_run(UUID(job))


@shared_task(ignore_result=True)
def bulk_sweep_task() -> None:
    """Go on with jobs whose worker was killed, or was never woken."""
    for tenant, job in bulk.jobs_waiting():
        with tenancy.tenant_context(tenant):
            bulk.job_run(job)

"""Thin: forgets what programs left behind."""

from __future__ import annotations

from celery import shared_task

from accounts import services
from ispbilling.kernel import clock, jobs


@shared_task(ignore_result=True)
def api_traces_purge_task() -> None:
    """Once a day."""
    if jobs.claim("api_traces_purge", f"{clock.machine_now():%Y-%m-%d}"):
        services.api_traces_purge()

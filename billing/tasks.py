"""Thin: the passing of time, tenant by tenant."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.db import DatabaseError

from accounts.selectors import tenant_ids_active
from billing import services
from ispbilling.kernel import clock, jobs, tenancy

log = structlog.get_logger(__name__)


@shared_task(ignore_result=True)
def cycle_run_task() -> None:
    """Renewals, cuts and reminders that fell due. One tenant's trouble is not another's."""
    for tenant in tenant_ids_active():
        try:
            with tenancy.tenant_context(tenant):
                services.cycle_run()
        except DatabaseError:
            log.exception("cycle.failed", tenant=str(tenant))


@shared_task(ignore_result=True)
def ledger_check_task() -> None:
    """Compare every cached balance with its entries, once an hour."""
    if not jobs.claim("ledger_check", f"{clock.machine_now():%Y-%m-%dT%H}"):
        return
    for tenant in tenant_ids_active():
        try:
            with tenancy.tenant_context(tenant):
                services.ledger_check_record()
        except DatabaseError:
            log.exception("ledger_check.failed", tenant=str(tenant))

"""Thin: the sweep over pending payments."""

from __future__ import annotations

from celery import shared_task

from ispbilling.kernel import tenancy
from payments import selectors, services


@shared_task(ignore_result=True)
def attempts_ask_task(_: object = None) -> None:
    """Ask gateways about everything due, tenant by tenant."""
    for tenant in selectors.tenants_with_due_attempts():
        with tenancy.tenant_context(tenant):
            services.attempts_ask()

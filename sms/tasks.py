"""Thin: sends what is queued."""

from __future__ import annotations

from celery import shared_task

from ispbilling.kernel import tenancy
from sms import selectors, services


@shared_task(ignore_result=True)
def messages_send_task(_: object = None) -> None:
    """Send everything due, tenant by tenant, until nothing is."""
    for tenant in selectors.tenants_with_due_messages():
        with tenancy.tenant_context(tenant):
            while services.messages_send():
                pass

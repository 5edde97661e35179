"""Thin: the sweeps over pending payments and quiet gateways."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from ispbilling.kernel import tenancy
from payments import selectors, services


@shared_task(ignore_result=True)
def attempts_ask_task(_: object = None) -> None:
    """Ask gateways about everything due, tenant by tenant."""
    for tenant in selectors.tenants_with_due_attempts():
        with tenancy.tenant_context(tenant):
            services.attempts_ask()


@shared_task(ignore_result=True)
def gateways_listen_task() -> None:
    """Ask every quiet gateway for a sign of life, each in a task of its own: one that hangs delays no other."""
    for tenant, account in selectors.accounts_to_ask():
        gateway_listen_task.apply_async(args=(str(tenant), str(account)), queue="outside", expires=60)


@shared_task(ignore_result=True)
def gateway_listen_task(tenant: str, account: str) -> None:
    """Ask one gateway."""
    with tenancy.tenant_context(UUID(tenant)):
        services.account_listen(account_id=UUID(account))


@shared_task(ignore_result=True)
def statements_read_task() -> None:
    """Read every statement that is due, each in a task of its own."""
    for tenant, account in selectors.statements_due():
        statement_read_task.apply_async(args=(str(tenant), str(account)), queue="outside", expires=60)


@shared_task(ignore_result=True)
def statement_read_task(tenant: str, account: str) -> None:
    """Read one."""
    with tenancy.tenant_context(UUID(tenant)):
        services.statement_read(account_id=UUID(account))

"""Thin: one task per router, never one per subscriber."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from ispbilling.kernel import tenancy
from network import selectors, services


@shared_task(ignore_result=True)
def router_converge_task(router_id: str) -> None:
    """Bring one router up to date and read its sessions."""
    tenant = selectors.tenant_of_router(UUID(router_id))
    if tenant is not None:
        with tenancy.tenant_context(tenant):
            services.router_converge(router_id=UUID(router_id))


@shared_task(ignore_result=True)
def routers_sweep_task() -> None:
    """Start a task for every router that is due. A router with a task under way answers ``busy`` at no cost."""
    for _tenant, router in selectors.routers_due():
        router_converge_task.apply_async(args=(str(router),), queue="network", expires=60)

"""Which tenant this piece of work is for, and the walls around it.

The tenant is set once per request and once per task, in ``tenant_context``. The database backend
(``kernel.postgres``) carries it into every transaction as ``app.tenant_id``, which the policies read; outside a
transaction nothing of a tenant can be read or written at all. ``platform`` is the one way past the walls.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import structlog
from django.db import connection, transaction
from psycopg.pq import TransactionStatus

SETTING = "app.tenant_id"

_tenant: ContextVar[UUID | None] = ContextVar("tenant", default=None)
_platform: ContextVar[bool] = ContextVar("platform", default=False)

log = structlog.get_logger(__name__)


class TenantMissing(RuntimeError):
    """Tenant data was touched with no tenant set, or outside a transaction: always a bug."""


def tenant_id() -> UUID | None:
    """The current tenant, or None."""
    return _tenant.get()


def tenant_id_required() -> UUID:
    """The current tenant. Raises TenantMissing."""
    current = _tenant.get()
    if current is None:
        raise TenantMissing("no tenant is set")
    return current


def in_platform() -> bool:
    """Whether this code runs inside ``platform()``."""
    return _platform.get()


def setting_value() -> str:
    """What ``app.tenant_id`` must be now; empty means nobody."""
    current = _tenant.get()
    return "" if current is None else str(current)


def _apply() -> None:
    if connection.in_atomic_block and not _is_aborted():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT set_config('{SETTING}', %s, true)", [setting_value()])


def _is_aborted() -> bool:
    raw: Any = connection.connection
    return raw is None or raw.info.transaction_status == TransactionStatus.INERROR


@contextmanager
def tenant_context(tenant: UUID) -> Iterator[None]:
    """Work for one tenant. Nests; the tenant before is back afterwards, also after an error."""
    token = _tenant.set(tenant)
    try:
        _apply()
        yield
    finally:
        _tenant.reset(token)
        _apply()


@contextmanager
def platform(reason: str) -> Iterator[None]:
    """See and write all tenants, in a transaction of its own or a savepoint of the open one.

    ``reason`` goes into the log: the look-ups before a tenant is known, the schedulers, the platform operator. Ends
    with the transaction or the block, whichever comes first; an error rolls the block back and with it the role.
    """
    if _platform.get():
        yield
        return
    token = _platform.set(True)
    is_inner = connection.in_atomic_block
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL ROLE platform")
            log.debug("platform.enter", reason=reason)
            yield
            if is_inner:  # the end of a transaction of its own ends the role too
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL ROLE NONE")
    finally:
        _platform.reset(token)


def wall_check() -> None:
    """Called before tenant data is touched. Raises TenantMissing when the walls would answer with nothing."""
    if _platform.get():
        return
    if _tenant.get() is None:
        raise TenantMissing("no tenant is set")
    if not connection.in_atomic_block:
        raise TenantMissing("tenant data is only reachable inside a transaction")

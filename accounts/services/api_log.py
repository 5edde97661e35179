"""Rows of who called what, written in bulk by ``kernel.api_log`` and forgotten after a while."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings

from accounts.models import ApiCall, RefreshToken, Tries
from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.api_log import Call


def api_calls_write(calls: Sequence[Call]) -> None:
    """Over all tenants, in one statement."""
    with tenancy.platform("accounts: log of API calls"):
        ApiCall.objects.bulk_create(
            ApiCall(
                tenant_id=call.tenant_id,
                at=call.at,
                actor=call.actor,
                method=call.method,
                route=call.route,
                status=call.status,
                took_ms=call.took_ms,
                source_address=call.source_address,
            )
            for call in calls
        )


def api_traces_purge() -> int:
    """Forget calls, refresh tokens and wrong tries of long ago, over all tenants. Returns how many rows went."""
    now = clock.machine_now()
    with tenancy.platform("accounts: purge of what the API leaves behind"):
        gone = ApiCall.objects.filter(at__lt=now - timedelta(days=settings.API_LOG_DAYS)).delete()[0]
        # A used token that has expired is refused for its age, whoever comes with it.
        gone += RefreshToken.objects.filter(expires_at__lt=now - timedelta(days=7)).delete()[0]
        return gone + Tries.objects.filter(began_at__lt=now - timedelta(days=1)).delete()[0]

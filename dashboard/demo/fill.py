"""The whole fill: providers opened, then day after day, then the far ends; from where it was, when it was stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction

from dashboard.demo.far_ends import far_ends_set
from dashboard.demo.houses import House, houses
from dashboard.demo.opening import demo_allowed, house_find, house_open
from dashboard.demo.plan import Plan, plan
from dashboard.demo.play import Player
from dashboard.demo.progress import Progress, progress_write
from dashboard.demo.stand_ins import stand_ins
from ispbilling.kernel import clock, tenancy, wake
from ispbilling.kernel.postgres.connections import connection_kept
from network.models import Router
from network.services import router_converge
from payments.models import ProviderAccount
from payments.services import account_listen

#: A machine that lost its power may have lost the last commits; they happen again.
DAYS_AGAIN = 1


def plans_of(progress: Progress) -> list[Plan]:
    return [
        plan(house=house, seed=progress.seed, days=progress.days, last=progress.last)
        for house in houses(is_small=progress.is_small)
    ]


def demo_open(*, progress: Progress, ends: Mapping[str, Any]) -> None:
    """Open the providers, each at the first instant of its history. Raises DomainError ``demo.refused``."""
    demo_allowed()
    try:
        with wake.hushed():
            for one in plans_of(progress):
                clock.live_at(one.first)
                house_open(house=one.house, ends=dict(ends))
    finally:
        clock.live_at(None)
    progress_write(progress)


def demo_fill(
    *, progress: Progress, ends: Mapping[str, Any], tell: Callable[[Progress], None], days_most: int | None = None
) -> Progress:
    """Let the days happen that have not yet. Call outside a transaction, after ``demo_open``.

    ``tell`` is called after each day; ``days_most``: stop after so many. Raises DomainError ``demo.refused``.
    """
    demo_allowed()
    begin = max(0, progress.done - DAYS_AGAIN)
    until = progress.of if days_most is None else min(progress.of, begin + days_most)
    try:
        with stand_ins(), wake.hushed(), connection_kept():
            players = [Player(one, tenant) for one in plans_of(progress) if (tenant := house_find(one.house))]
            each_day = [list(player.plan.by_day()) for player in players]
            for number in range(begin, until):
                for player, days in zip(players, each_day, strict=True):
                    if number < len(days):
                        player.day(*days[number])
                progress = replace(progress, done=max(progress.done, number + 1))
                progress_write(progress)
                tell(progress)
    finally:
        clock.live_at(None)
    return progress


def demo_wake(*, progress: Progress, ends: Mapping[str, Any]) -> None:
    """Bring the far ends to where the history left them, and look at them for the first time in earnest."""
    for house in houses(is_small=progress.is_small):
        _house_wake(house, ends)


def _house_wake(house: House, ends: Mapping[str, Any]) -> None:
    tenant = house_find(house)
    if tenant is None:
        return
    far_ends_set(tenant=tenant, ends=ends)
    with tenancy.tenant_context(tenant.id):
        with transaction.atomic():
            routers = list(Router.objects.values_list("id", flat=True))
            accounts = list(ProviderAccount.objects.exclude(provider="cash").values_list("id", flat=True))
        for account in accounts:
            account_listen(account_id=account)
        for router in routers:
            router_converge(router_id=router)

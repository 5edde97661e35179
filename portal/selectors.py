"""Reads of the portal."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db.models import OuterRef, QuerySet, Subquery

from accounts.models import Login
from customers.models import Customer
from customers.selectors import customers_known
from customers.tokens import alias
from ispbilling.kernel import clock
from ispbilling.kernel.errors import NotFound
from ispbilling.kernel.money import Money
from network.models import Router
from portal.models import CustomerSignIn, Lead, PortalSettings


def customers_signed_in(session_key: str) -> QuerySet[Customer]:
    """Everybody who was not deleted; ``seen_at`` is when this session of his was last seen, None for none."""
    seen = CustomerSignIn.objects.filter(customer=OuterRef("id"), session_key=session_key).values("seen_at")[:1]
    return customers_known().annotate(seen_at=Subquery(seen))


def sign_ins_of(customer_id: UUID) -> list[CustomerSignIn]:
    """The browsers in which a subscriber is signed in now, the last seen first."""
    living = Session.objects.filter(expire_date__gt=clock.machine_now()).values("session_key")
    rows = CustomerSignIn.objects.filter(customer_id=customer_id, session_key__in=living)
    return list(rows.order_by("-seen_at", "-id")[:50])


def devices_of(customer_id: UUID) -> list[Login]:
    """The apps that are signed in for a subscriber, the last used first."""
    rows = Login.objects.filter(kind=Login.Kind.CUSTOMER, subject_id=customer_id, revoked_at=None)
    return list(rows.order_by("-used_at", "-id")[:50])


def settings_current() -> PortalSettings:
    """What the tenant decided about its portal; a tenant without a row has the usual."""
    found: PortalSettings | None = PortalSettings.objects.select_related("sign_up_router").first()
    return found or PortalSettings()


def sign_up_router(settings: PortalSettings) -> Router | None:
    """Where the line of whoever signs up is made: the tenant's choice, else the only router there is."""
    if settings.sign_up_router is not None:
        return settings.sign_up_router if settings.sign_up_router.is_enabled else None
    found = list(Router.objects.filter(is_enabled=True).order_by("name")[:2])
    return found[0] if len(found) == 1 else None


def leads_all() -> QuerySet[Lead]:
    """Who asked for a line, newest first."""
    rows: QuerySet[Lead] = Lead.objects.select_related("package")
    return rows.order_by("-created_at", "-id")


def leads_open() -> QuerySet[Lead]:
    """Who waits to be called."""
    rows: QuerySet[Lead] = Lead.objects.filter(state=Lead.State.OPEN)
    return rows


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Somebody whose internet another one pays: as much of his name as tells that he is meant."""

    customer: Customer
    name: str


def neighbour_of_code(code: str) -> Neighbour:
    """Raises NotFound ``neighbour.unknown``."""
    found: Customer | None = customers_known().filter(code=alias(code), kind=Customer.Kind.SUBSCRIBER).first()
    if found is None:
        raise NotFound("neighbour.unknown", "Nobody here has this number.")
    return Neighbour(found, masked_name(found.name))


def masked_name(name: str) -> str:
    """``Jane Wanjiku`` → ``J••• W••••``: whoever knows him knows it is he, and nobody learns a name."""
    return " ".join(f"{word[0]}{'•' * min(len(word) - 1, 6)}" for word in name.split())


def missing_of(total: Money, wallet: Money) -> Money:
    """What is asked for when a customer pays ``total``: the wallet is used first, unless it covers all of it already.

    One that does stays as it is, for the next time.
    """
    return total - wallet if Money.zero(total.currency) < wallet < total else total

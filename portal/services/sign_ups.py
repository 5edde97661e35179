"""Becoming a subscriber by oneself: a telephone that was proven, a package, a line, or a call of staff."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from billing.services import subscription_create
from customers.models import Customer
from customers.selectors import customers_of_phone
from customers.services import customer_create
from ispbilling.kernel import audit, clock
from ispbilling.kernel.errors import Conflict, NotFound
from ispbilling.kernel.states import state_move
from network.models import Line
from network.selectors import router_get
from network.services import line_add, line_open
from packages.selectors import packages_on_sale
from portal.models import Lead, PortalSettings
from portal.selectors import settings_current, sign_up_router
from portal.services.entrance import number_alone, number_prove

ACTOR = "system:registration"


@dataclass(frozen=True, slots=True)
class SignedUp:
    """What came of it: a customer, with his line when he is new, or a lead for staff."""

    customer: Customer | None
    line: Line | None = None
    lead: Lead | None = None


def register(*, number: str, code: str, name: str, email: str = "", address: str = "") -> Customer:
    """Whoever has the telephone becomes a customer, or the one he is already. Call outside a transaction.

    Raises DomainError ``code.wrong``, Conflict ``sign_up.closed``.
    """
    owners = number_prove(number=number, code=code)
    return owners[0] if owners else _customer(number, name, email, address)


@transaction.atomic
def _customer(number: str, name: str, email: str, address: str) -> Customer:
    owners = _alone(number)
    if owners:
        return owners[0]
    _is_open()
    return customer_create(name=name, phones=[number], email=email, address=address, actor=ACTOR)


@transaction.atomic
def sign_up(*, number: str, name: str, address: str, package_id: UUID) -> SignedUp:
    """A new subscriber with a package and a line, not paid yet; the caller has seen that the telephone is his.

    Sent twice at once it makes one customer. Where no router can be chosen it becomes a lead. Raises Conflict
    ``sign_up.closed``, NotFound ``package.unknown``.
    """
    owners = _alone(number)
    if owners:
        return SignedUp(owners[0])
    settings = _is_open()
    package = packages_on_sale().filter(id=package_id).first()
    if package is None:
        raise NotFound("package.unknown", "There is no such package.")
    router = sign_up_router(settings)
    if router is None:
        lead, is_new = Lead.objects.update_or_create(
            phone=number,
            state=Lead.State.OPEN,
            defaults={"name": name.strip(), "address": address, "package": package},
            create_defaults={
                "name": name.strip(),
                "address": address,
                "package": package,
                "created_at": clock.now(),
            },
        )
        if is_new:
            audit.record(actor=ACTOR, verb="lead.create", row=lead, new={"package": package.name})
        return SignedUp(None, lead=lead)
    customer = customer_create(name=name, phones=[number], address=address, actor=ACTOR)
    subscription = subscription_create(customer_id=customer.id, package_id=package.id, actor=ACTOR)
    return SignedUp(customer, line_add(subscription_id=subscription.id, router_id=router.id, actor=ACTOR))


def _alone(number: str) -> list[Customer]:
    """Whoever has this telephone by now; another sign-up with it waits until this one is over."""
    number_alone(number)
    return customers_of_phone(number)


def _is_open() -> PortalSettings:
    settings = settings_current()
    if not settings.is_sign_up_open:
        raise Conflict("sign_up.closed", _("New customers are entered by the office. Please call us."))
    return settings


@transaction.atomic
def lead_accept(*, lead_id: UUID, router_id: UUID, actor: str) -> Line:
    """Staff found a router: the lead becomes a customer with a line. Raises NotFound, Conflict ``lead.move``."""
    lead = _lead_locked(lead_id)
    router = router_get(router_id)
    line = line_open(
        name=lead.name,
        phones=[lead.phone],
        address=lead.address,
        package_id=lead.package_id,
        router_id=router.id,
        actor=actor,
    )
    state_move(lead, to=Lead.State.DONE, by=actor)
    return line


@transaction.atomic
def lead_drop(*, lead_id: UUID, actor: str) -> Lead:
    """Nothing comes of it. Raises NotFound, Conflict ``lead.move``."""
    return state_move(_lead_locked(lead_id), to=Lead.State.DROPPED, by=actor)


def _lead_locked(lead_id: UUID) -> Lead:
    found: Lead | None = Lead.objects.select_for_update(no_key=True).filter(id=lead_id).first()
    if found is None:
        raise NotFound("lead.unknown", "There is no such request.")
    return found


@transaction.atomic
def settings_set(*, is_sign_up_open: bool, router_id: UUID | None, actor: str) -> PortalSettings:
    """What people may do by themselves, and where their lines are made. Raises NotFound ``router.unknown``."""
    router = router_get(router_id) if router_id is not None else None
    PortalSettings.objects.get_or_create()
    row = PortalSettings.objects.select_for_update(no_key=True).get()
    old = {"is_sign_up_open": row.is_sign_up_open, "sign_up_router": row.sign_up_router_id}
    row.is_sign_up_open, row.sign_up_router = is_sign_up_open, router
    new = {"is_sign_up_open": is_sign_up_open, "sign_up_router": router_id}
    if old != new:
        row.save(update_fields=["is_sign_up_open", "sign_up_router"])
        audit.record(actor=actor, verb="portal.settings", row=row, old=old, new=new)
    return row

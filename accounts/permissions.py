"""The one table of permissions: name, sentence, and the roles that have it unless a tenant says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import RoleOverride
from ispbilling.kernel import tenancy

OWNER, ADMIN, BILLING, SUPPORT, TECHNICIAN, RESELLER = "owner", "admin", "billing", "support", "technician", "reseller"
EVERYONE = frozenset({OWNER, ADMIN, BILLING, SUPPORT, TECHNICIAN})
LEADERS = frozenset({OWNER, ADMIN})


@dataclass(frozen=True, slots=True)
class Permission:
    """``area:verb``, what it lets one do, and who may by default."""

    name: str
    sentence: str | Promise
    roles: frozenset[str]


PERMISSIONS = {
    permission.name: permission
    for permission in (
        Permission("account:own", _("Look after one's own account and second factor"), EVERYONE | {RESELLER}),
        Permission("dashboard:view", _("Open the home page"), EVERYONE),
        Permission("customers:view", _("See customers"), EVERYONE),
        Permission("customers:edit", _("Change a customer's name and phones"), LEADERS | {BILLING, SUPPORT}),
        Permission("customers:bulk", _("Do one thing to many customers"), LEADERS | {BILLING}),
        Permission("customers:gift", _("Give a customer free days"), LEADERS | {BILLING}),
        Permission("customers:stop", _("Stop a customer's lines, and start them again"), LEADERS | {BILLING}),
        Permission("customers:note", _("Write notes about customers"), EVERYONE),
        Permission("customers:documents", _("See and keep files about customers"), LEADERS | {BILLING, SUPPORT}),
        Permission("customers:share_views", _("Share views of the customer list"), LEADERS),
        Permission("billing:view", _("See subscriptions, invoices and balances"), LEADERS | {BILLING, SUPPORT}),
        Permission("billing:edit", _("Extend, change and end subscriptions"), LEADERS | {BILLING}),
        Permission("invoices:view", _("See and download invoices"), LEADERS | {BILLING, SUPPORT}),
        Permission("invoices:credit", _("Take back invoices with credit notes"), LEADERS | {BILLING}),
        Permission("finance:income_create", _("Record a cash payment"), LEADERS | {BILLING}),
        Permission(
            "receipts:assign", _("Assign receipts to customers, take them back, refund them"), LEADERS | {BILLING}
        ),
        Permission("payments:ask", _("Ask a gateway what became of a payment"), LEADERS | {BILLING, SUPPORT}),
        Permission("cuts:view", _("See coming cuts, and why cutting has stopped"), LEADERS | {BILLING, SUPPORT}),
        Permission("cuts:release", _("Let cutting go on after it stopped"), LEADERS),
        Permission("cuts:hold", _("Keep a customer online for a while"), LEADERS | {BILLING}),
        Permission("pppoe:view", _("See lines and sessions"), EVERYONE),
        Permission("pppoe:add_user", _("Open a line"), LEADERS | {SUPPORT, TECHNICIAN}),
        Permission("pppoe:edit", _("Change a customer through the API"), LEADERS | {BILLING, SUPPORT}),
        Permission("pppoe:delete", _("Delete and restore customers"), LEADERS),
        Permission("packages:view", _("See packages"), EVERYONE),
        Permission("packages:edit", _("Make and change packages"), LEADERS),
        Permission("routers:view", _("See routers"), LEADERS | {SUPPORT, TECHNICIAN}),
        Permission("routers:edit", _("Undo changes made by hand on routers"), LEADERS | {TECHNICIAN}),
        Permission("routers:manage", _("Add routers, change how they are reached, remove them"), LEADERS),
        Permission("sessions:act", _("Ask a router about a line, and end a session"), LEADERS | {SUPPORT, TECHNICIAN}),
        Permission("routers:wall", _("Choose what people who have not paid can still reach"), LEADERS | {TECHNICIAN}),
        Permission("messages:view", _("See messages to customers"), LEADERS | {BILLING, SUPPORT}),
        Permission(
            "messages:send",
            _("Write to customers, and send again"),
            LEADERS | {BILLING, SUPPORT},
        ),
        Permission("messages:wordings", _("Change the wording of messages"), LEADERS),
        Permission("staff:view", _("See who works here"), LEADERS),
        Permission("staff:edit", _("Invite people, change their roles, let them go"), LEADERS),
        Permission("staff:roles", _("Say what each role may do"), LEADERS),
        Permission("settings:business", _("Change name, phone, time zone and language of the business"), LEADERS),
        Permission("settings:policy", _("Change when and how customers are cut"), LEADERS),
        Permission("settings:prices", _("Change taxes and discounts"), LEADERS),
        Permission("settings:gateways", _("Add and change payment methods"), LEADERS),
        Permission("settings:messages", _("Add and change accounts with message providers"), LEADERS),
        Permission("audit:view", _("Read and download who did what"), LEADERS),
        Permission("trends:view", _("See trends of money, customers and network"), LEADERS | {BILLING}),
        Permission("health:view", _("See whether everything runs"), LEADERS),
        Permission("keys:manage", _("Create and withdraw API keys"), LEADERS),
        Permission("system:events", _("See and retry parked events"), LEADERS),
    )
}


#: What no tenant may change.
FIXED = frozenset({"account:own"})

#: (tenant, role) → its own word on permissions, as far as this request has asked. None outside a request.
_known: ContextVar[dict[tuple[UUID, str], dict[str, bool]] | None] = ContextVar("role_overrides", default=None)


@contextmanager
def remembered() -> Iterator[dict[tuple[UUID, str], dict[str, bool]]]:
    """For the time of a request: what tenants say of roles is asked for at most once. What is known may be put in."""
    known: dict[tuple[UUID, str], dict[str, bool]] = {}
    token = _known.set(known)
    try:
        yield known
    finally:
        _known.reset(token)


def forget() -> None:
    """What a tenant says of its roles has changed."""
    (_known.get() or {}).clear()


def role_has(role: str, permission: str) -> bool:
    """Whether a role has a permission in the current tenant, by default without one.

    An owner has all of an owner's, whatever else is said. An unknown permission is a bug and raises KeyError.
    """
    default = role in PERMISSIONS[permission].roles
    return default if role == OWNER or permission in FIXED else _said_of(role).get(permission, default)


def permissions_of(role: str) -> frozenset[str]:
    """All that a role has in the current tenant."""
    said = {} if role == OWNER else _said_of(role)
    return frozenset(
        name
        for name, permission in PERMISSIONS.items()
        if (said.get(name) if name in said and name not in FIXED else role in permission.roles)
    )


def _said_of(role: str) -> dict[str, bool]:
    tenant, known = tenancy.tenant_id(), _known.get()
    if tenant is None:
        return {}
    if known is not None and (tenant, role) in known:
        return known[tenant, role]
    with transaction.atomic():  # guards run before the request's own transaction
        found = dict(RoleOverride.objects.filter(role=role).values_list("permission", "is_granted"))
    if known is not None:
        known[tenant, role] = found
    return found

"""The one table of permissions: name, sentence, and the roles that have it unless a tenant says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

OWNER, ADMIN, BILLING, SUPPORT, TECHNICIAN, RESELLER = "owner", "admin", "billing", "support", "technician", "reseller"
EVERYONE = frozenset({OWNER, ADMIN, BILLING, SUPPORT, TECHNICIAN})
LEADERS = frozenset({OWNER, ADMIN})


@dataclass(frozen=True, slots=True)
class Permission:
    """``area:verb``, what it lets one do, and who may by default."""

    name: str
    sentence: str
    roles: frozenset[str]


PERMISSIONS = {
    permission.name: permission
    for permission in (
        Permission("dashboard:view", "Open the dashboard", EVERYONE),
        Permission("customers:view", "See customers", EVERYONE),
        Permission("customers:edit", "Change a customer's name and phones", LEADERS | {BILLING, SUPPORT}),
        Permission("billing:view", "See subscriptions, invoices and balances", LEADERS | {BILLING, SUPPORT}),
        Permission("finance:income_create", "Record a cash payment", LEADERS | {BILLING}),
        Permission("cuts:view", "See who is cut tonight, and why nobody is", LEADERS | {BILLING, SUPPORT}),
        Permission("cuts:release", "Let stopped cuts go on", LEADERS),
        Permission("cuts:hold", "Keep a customer online for a while", LEADERS | {BILLING}),
        Permission("pppoe:view", "See lines and sessions", EVERYONE),
        Permission("pppoe:add_user", "Open a line", LEADERS | {SUPPORT, TECHNICIAN}),
        Permission("pppoe:edit", "Change a customer, by the API", LEADERS | {BILLING, SUPPORT}),
        Permission("pppoe:delete", "Delete a customer and bring him back", LEADERS),
        Permission("packages:view", "See packages", EVERYONE),
        Permission("packages:edit", "Make and change packages", LEADERS),
        Permission("routers:view", "See routers", LEADERS | {SUPPORT, TECHNICIAN}),
        Permission("routers:edit", "Put right what hands changed on routers", LEADERS | {TECHNICIAN}),
        Permission("routers:wall", "Say what is reachable for whoever has not paid", LEADERS | {TECHNICIAN}),
        Permission("messages:view", "See messages to customers", LEADERS | {BILLING, SUPPORT}),
        Permission("health:view", "See whether everything runs", LEADERS),
        Permission("keys:manage", "Give and take back API keys of machines", LEADERS),
        Permission("system:events", "See and retry parked events", LEADERS),
    )
}


def role_has(role: str, permission: str) -> bool:
    """Whether a role has a permission. An unknown permission is a bug and raises KeyError."""
    return role in PERMISSIONS[permission].roles


def permissions_of(role: str) -> frozenset[str]:
    return frozenset(name for name, permission in PERMISSIONS.items() if role in permission.roles)

"""What each role may do in a tenant, and whom somebody may have a say over."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from accounts.models import Membership, Role, RoleOverride
from accounts.permissions import FIXED, OWNER, PERMISSIONS, forget, permissions_of
from accounts.selectors import tenant_current
from ispbilling.kernel import audit
from ispbilling.kernel.errors import DomainError


def may_manage(by: Membership, role: str) -> bool:
    """Whether ``by`` may give a role, or have a say over who has it: nobody hands out what he has not himself."""
    if OWNER in (by.role, role):
        return bool(by.role == OWNER)
    return permissions_of(role) <= permissions_of(by.role)


@transaction.atomic
def role_overrides_set(
    *, granted: Collection[tuple[str, str]], shown: Collection[str], by: Membership, actor: str
) -> int:
    """The table as somebody left it: (role, permission) of every tick among the permissions that were ``shown``.

    Returns how many ticks changed. An owner keeps all. Raises DomainError ``role.beyond`` for a tick on a permission
    that ``by`` does not have.
    """
    own = permissions_of(by.role)
    changes = []
    for role in Role.values:
        if role == OWNER:
            continue
        has = permissions_of(role)
        for name in PERMISSIONS:
            wanted = (role, name) in granted
            if name in shown and name not in FIXED and wanted != (name in has):
                changes.append((role, name, wanted))
    beyond = sorted({name for _, name, _ in changes if name not in own})
    if beyond:
        raise DomainError("role.beyond", f"You cannot give or take what you do not have: {', '.join(beyond)}.")
    for role, name, wanted in changes:
        if wanted == (role in PERMISSIONS[name].roles):
            RoleOverride.objects.filter(role=role, permission=name).delete()
        else:
            RoleOverride.objects.update_or_create(role=role, permission=name, defaults={"is_granted": wanted})
    if changes:
        audit.record(
            actor=actor,
            verb="role.set",
            row=tenant_current(),
            old={f"{role} {name}": not wanted for role, name, wanted in changes},
            new={f"{role} {name}": wanted for role, name, wanted in changes},
        )
    forget()
    return len(changes)

"""Who works for a tenant: asked by a link, given a role, let go."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import Invitation, Membership, Role, User
from accounts.selectors import invitation_of_key, works_elsewhere
from accounts.services.roles import may_manage
from accounts.services.second_factor import second_factor_end
from accounts.services.sign_ins import sign_ins_end
from ispbilling.kernel import audit, clock, tenancy
from ispbilling.kernel.errors import Conflict, DomainError, NotFound

#: How long a link opens.
LIFETIME = timedelta(days=3)


@transaction.atomic
def invitation_create(*, email: str, role: str, by: Membership, actor: str) -> tuple[Invitation, str]:
    """Ask a person to work here. Returns the invitation and the key of its link, which is kept nowhere.

    Raises DomainError ``staff.role``, ``staff.beyond``; Conflict ``staff.exists``, ``staff.invited``.
    """
    email = email.strip().lower()
    _demand(by, role)
    if Membership.objects.filter(user__email=email).exists():
        raise Conflict("staff.exists", f"{email} works here already.", fields={"email": ["Works here already."]})
    if Invitation.objects.filter(email=email, accepted_at=None, withdrawn_at=None).exists():
        raise Conflict("staff.invited", f"{email} is invited already. Send the invitation again instead.")
    key, now = secrets.token_urlsafe(32), clock.machine_now()
    invitation: Invitation = Invitation.objects.create(
        email=email, role=role, digest=_digest(key), invited_by=by.user, created_at=now, expires_at=now + LIFETIME
    )
    audit.record(actor=actor, verb="staff.invite", row=invitation, new={"email": email, "role": role})
    return invitation, key


@transaction.atomic
def invitation_renew(*, invitation_id: UUID, by: Membership, actor: str) -> tuple[Invitation, str]:
    """A new link, good for three days; the old one opens no more. Raises NotFound, DomainError ``staff.beyond``."""
    invitation = _open(invitation_id)
    _demand(by, invitation.role)
    key = secrets.token_urlsafe(32)
    invitation.digest, invitation.expires_at = _digest(key), clock.machine_now() + LIFETIME
    invitation.save(update_fields=["digest", "expires_at"])
    audit.record(actor=actor, verb="staff.invite_again", row=invitation, new={"email": invitation.email})
    return invitation, key


@transaction.atomic
def invitation_withdraw(*, invitation_id: UUID, by: Membership, actor: str) -> Invitation:
    """The link opens no more. Raises NotFound, DomainError ``staff.beyond``."""
    invitation = _open(invitation_id)
    _demand(by, invitation.role)
    invitation.withdrawn_at = clock.machine_now()
    invitation.save(update_fields=["withdrawn_at"])
    audit.record(actor=actor, verb="staff.invite_withdraw", row=invitation, new={"email": invitation.email})
    return invitation


@transaction.atomic
def invitation_accept(*, key: str, name: str = "", password: str = "", known: User | None = None) -> Membership:
    """Begin to work. ``known``: the user of that e-mail, who proved to be himself; else one is made.

    Raises NotFound ``invitation.unknown``, DomainError ``staff.password``, Conflict ``staff.exists``.
    """
    found = invitation_of_key(key)
    if found is None:
        raise NotFound("invitation.unknown", "This link was used, withdrawn, or is too old. Ask for another.")
    with tenancy.tenant_context(found.tenant_key):
        invitation = _open(found.id)
        if invitation.digest != found.digest:
            raise NotFound("invitation.unknown", "This link was used, withdrawn, or is too old. Ask for another.")
        user = known or _user_make(invitation.email, name, password)
        if user.email != invitation.email:
            raise NotFound("invitation.unknown", "This link is for somebody else.")
        membership, is_new = Membership.objects.get_or_create(
            user=user, defaults={"role": invitation.role, "created_at": clock.now()}
        )
        if not is_new:
            raise Conflict("staff.exists", f"{user.email} works here already.")
        invitation.accepted_at = clock.machine_now()
        invitation.save(update_fields=["accepted_at"])
        new = {"email": user.email, "role": invitation.role}
        audit.record(actor=f"user:{user.id}", verb="staff.join", row=membership, new=new)
    return membership


@transaction.atomic
def member_role_set(*, member_id: UUID, role: str, by: Membership, actor: str) -> Membership:
    """Another role. Raises NotFound, DomainError ``staff.role``, ``staff.beyond``, Conflict ``staff.last_owner``."""
    member = _member(member_id, by)
    _demand(by, role)
    if role != Role.OWNER:
        _keep_an_owner(member)
    old, member.role = member.role, role
    member.save(update_fields=["role"])
    audit.record(actor=actor, verb="staff.role", row=member, old={"role": old}, new={"role": role})
    return member


@transaction.atomic
def member_deactivate(*, member_id: UUID, by: Membership, actor: str) -> Membership:
    """Let a person go: he is out at once, wherever he is signed in.

    Raises NotFound, DomainError ``staff.beyond``, Conflict ``staff.self``, ``staff.last_owner``.
    """
    member = _member(member_id, by)
    if member.user_id == by.user_id:
        raise Conflict("staff.self", "You cannot let yourself go. Ask somebody else who may.")
    _keep_an_owner(member)
    member.is_active = False
    member.save(update_fields=["is_active"])
    if not works_elsewhere(member):
        sign_ins_end(user=member.user)
    audit.record(actor=actor, verb="staff.off", row=member, old={"is_active": True}, new={"is_active": False})
    return member


@transaction.atomic
def member_activate(*, member_id: UUID, by: Membership, actor: str) -> Membership:
    """Take a person back in the role he had. Raises NotFound, DomainError ``staff.beyond``."""
    member = _member(member_id, by)
    member.is_active = True
    member.save(update_fields=["is_active"])
    audit.record(actor=actor, verb="staff.on", row=member, old={"is_active": False}, new={"is_active": True})
    return member


@transaction.atomic
def member_second_factor_reset(*, member_id: UUID, by: Membership, actor: str) -> None:
    """For whoever lost phone and paper: his password alone opens again, and his sessions end.

    Raises NotFound, DomainError ``staff.beyond``, Conflict ``second_factor.off``, ``staff.elsewhere``.
    """
    member = _member(member_id, by)
    if works_elsewhere(member):  # one tenant has no say over what proves to another who somebody is
        raise Conflict("staff.elsewhere", "This person works for another provider too: only the operator can do this.")
    second_factor_end(user=member.user, verb="second_factor.reset", actor=actor)
    sign_ins_end(user=member.user)


@transaction.atomic
def member_sign_ins_end(*, member_id: UUID, by: Membership, actor: str) -> int:
    """End all his sessions. Returns how many. Raises as ``member_second_factor_reset`` does."""
    member = _member(member_id, by)
    if works_elsewhere(member):
        raise Conflict("staff.elsewhere", "This person works for another provider too: let him go here instead.")
    return sign_ins_end(user=member.user, actor=actor)


def _demand(by: Membership, role: str) -> None:
    if role not in Role.values:
        raise DomainError("staff.role", f"“{role}” is not a role.", fields={"role": ["Not a role."]})
    if not may_manage(by, role):
        raise DomainError("staff.beyond", "That role may do more than you may. Ask an owner.")


def _member(member_id: UUID, by: Membership) -> Membership:
    rows = Membership.objects.select_for_update(no_key=True, of=("self",)).select_related("user")
    member: Membership | None = rows.filter(id=member_id).first()
    if member is None:
        raise NotFound("staff.unknown", "Nobody of that kind works here.")
    _demand(by, member.role)
    return member


def _keep_an_owner(member: Membership) -> None:
    """All owners are locked in one order: two who leave at the same instant do not both go."""
    rows = Membership.objects.select_for_update(no_key=True).filter(role=Role.OWNER, is_active=True)
    owners = list(rows.order_by("id").values_list("id", flat=True))
    if owners == [member.id]:
        raise Conflict("staff.last_owner", "This is the last owner. Make somebody else an owner first.")


def _open(invitation_id: UUID) -> Invitation:
    rows = Invitation.objects.select_for_update(no_key=True)
    found: Invitation | None = rows.filter(id=invitation_id, accepted_at=None, withdrawn_at=None).first()
    if found is None:
        raise NotFound("invitation.unknown", "There is no such open invitation.")
    return found


def _user_make(email: str, name: str, password: str) -> User:
    if User.objects.filter(email=email).exists():
        raise Conflict("staff.known", "There is an account with this e-mail. Its own password is needed.")
    try:
        validate_password(password, User(email=email, name=name))
    except ValidationError as error:
        raise DomainError("staff.password", " ".join(error.messages), fields={"password": error.messages}) from None
    return User.objects.create_user(email, password, name=name)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()

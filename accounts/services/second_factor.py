"""The second factor of a person: an app that shows codes, and codes on paper for when the phone is lost."""

from __future__ import annotations

import hashlib
import secrets
from enum import StrEnum

from django.db import transaction
from django_otp.util import random_hex

from accounts.models import RecoveryCode, TotpDevice, User
from accounts.selectors import memberships_of
from ispbilling.kernel import audit, clock, tenancy
from ispbilling.kernel.errors import Conflict, NotFound

RECOVERY_CODES = 10
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # 32: five bits a letter; no l, o, 0, 1
_LENGTH = 16


class Check(StrEnum):
    """What became of a code that was typed."""

    RIGHT = "right"
    RECOVERY = "recovery"  # right, and used up
    WRONG = "wrong"  # or used before
    TOO_SOON = "too soon"  # not looked at: too many wrong ones just before


@transaction.atomic
def second_factor_begin(*, user: User) -> TotpDevice:
    """A new secret for a person's app, asked for only once it is confirmed. Raises Conflict ``second_factor.on``."""
    device = _locked(user)
    if device is not None and device.confirmed:
        raise Conflict("second_factor.on", "The second factor is switched on already.")
    TotpDevice.objects.filter(user=user).delete()
    return TotpDevice.objects.create(
        user=user, name="", confirmed=False, key=random_hex(20), created_at=clock.machine_now()
    )


@transaction.atomic
def second_factor_confirm(*, user: User, code: str, actor: str) -> list[str] | None:
    """Switch it on, as a code shows that the app knows the secret. Returns recovery codes, None for a wrong code.

    Raises NotFound ``second_factor.none`` when nothing was begun, Conflict ``second_factor.on``.
    """
    device = _locked(user)
    if device is None:
        raise NotFound("second_factor.none", "There is nothing to confirm. Begin again.")
    if device.confirmed:
        raise Conflict("second_factor.on", "The second factor is switched on already.")
    if not device.verify_token(_typed(code)):
        return None
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    audit.record(actor=actor, verb="second_factor.on", row=user)
    return _codes_make(user)


@transaction.atomic
def recovery_codes_renew(*, user: User, actor: str) -> list[str]:
    """Ten new codes instead of all old ones. Raises Conflict ``second_factor.off``."""
    device = _locked(user)
    if device is None or not device.confirmed:
        raise Conflict("second_factor.off", "The second factor is switched off.")
    audit.record(actor=actor, verb="second_factor.codes", row=user)
    return _codes_make(user)


@transaction.atomic
def second_factor_check(*, user: User, code: str) -> Check:
    """Take a code of the app or a recovery code, each once. Wrong ones make the next wait longer and longer."""
    device = _locked(user)
    if device is None or not device.confirmed:
        return Check.WRONG
    if not device.verify_is_allowed()[0]:
        return Check.TOO_SOON
    typed = _typed(code)
    if len(typed) == _LENGTH:
        used = RecoveryCode.objects.filter(user=user, digest=_digest(typed), used_at=None)
        if used.update(used_at=clock.machine_now()):
            device.throttle_reset()
            _tell_tenants(user, "second_factor.recovery")
            return Check.RECOVERY
    return Check.RIGHT if device.verify_token(typed) else Check.WRONG


@transaction.atomic
def second_factor_end(*, user: User, verb: str = "second_factor.off", actor: str) -> None:
    """Switch it off; his recovery codes go with it. Raises Conflict ``second_factor.off`` when there is none."""
    device = _locked(user)
    if device is None:
        raise Conflict("second_factor.off", "The second factor is switched off.")
    RecoveryCode.objects.filter(user=user).delete()
    device.delete()
    audit.record(actor=actor, verb=verb, row=user)


def _locked(user: User) -> TotpDevice | None:
    found: TotpDevice | None = TotpDevice.objects.select_for_update(no_key=True).filter(user=user).first()
    return found


def _codes_make(user: User) -> list[str]:
    codes = ["".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_digest(code)) for code in codes)
    return ["-".join(code[at : at + 4] for at in range(0, _LENGTH, 4)) for code in codes]


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _typed(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


def _tell_tenants(user: User, verb: str) -> None:
    """At the door no tenant is known: it is written down at each he works for."""
    for membership in memberships_of(user):
        with tenancy.tenant_context(membership.tenant_key):
            audit.record(actor=f"user:{user.id}", verb=verb, row=user)

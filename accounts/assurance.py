"""How surely a session is its person's: whether the second factor was shown in it, and who must have one."""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings
from django.http import HttpRequest
from django_otp import DEVICE_ID_SESSION_KEY

from accounts.models import Membership, TotpDevice, User
from accounts.permissions import LEADERS
from accounts.selectors import device_of


class Missing(StrEnum):
    """What a session lacks before it opens a staff page."""

    CHALLENGE = "challenge"  # has a second factor and did not show it in this session
    SET_UP = "set up"  # must have one and has none


def missing(request: HttpRequest, membership: Membership) -> Missing | None:
    """What this session lacks. ``membership`` is as ``memberships_of`` reads it; asks the database nothing."""
    device_id = getattr(membership, "device_id", None)
    if device_id is not None:
        is_shown = request.session.get(DEVICE_ID_SESSION_KEY) == f"{TotpDevice.model_label()}/{device_id}"
        return None if is_shown else Missing.CHALLENGE
    return Missing.SET_UP if is_demanded(membership.role) else None


def is_demanded(role: str) -> bool:
    """Whether whoever has this role must have a second factor."""
    return settings.SECOND_FACTOR_REQUIRED and role in LEADERS


def has_device(user: User | None) -> bool:
    device = device_of(user) if user is not None else None
    return device is not None and device.confirmed

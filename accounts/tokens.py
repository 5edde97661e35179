"""The tokens programs come with, as text: made, read, hashed. No table is known here.

An access token is a JWT (HS256) that lives a quarter of an hour. Refresh tokens and API keys are random text of which
only a hash is kept: whoever reads the database cannot use them.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from ispbilling.kernel import clock
from ispbilling.kernel.errors import Unauthenticated

ACCESS_LIFE = timedelta(minutes=15)
REFRESH_LIFE = timedelta(days=30)
#: An access token made by a machine whose clock is a little ahead is taken all the same.
LEEWAY = timedelta(seconds=30)
KEY_MARK, REFRESH_MARK = "ispk_", "ispr_"
ISSUER = "ispbilling"


@dataclass(frozen=True, slots=True)
class Claims:
    """Who an access token says its bearer is. ``scopes`` None: everything his role allows."""

    tenant_id: UUID
    subject_id: UUID  # a user or a customer
    kind: str
    scopes: tuple[str, ...] | None
    login_id: UUID
    token_id: str


@lru_cache(maxsize=4)
def _signing_key(secret: str) -> bytes:
    """A key for this one purpose: nothing else that is signed with SECRET_KEY passes for an access token."""
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"ispbilling access token 1")
    return made.derive(secret.encode())


def access_token(*, tenant_id: UUID, subject_id: UUID, kind: str, scopes: list[str] | None, login_id: UUID) -> str:
    now = clock.machine_now()
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "tenant": str(tenant_id),
        "sub": str(subject_id),
        "kind": kind,
        "scopes": scopes,
        "sid": str(login_id),
        "jti": uuid4().hex,
        "iat": int(now.timestamp()),
        "exp": int((now + ACCESS_LIFE).timestamp()),
    }
    return jwt.encode(claims, _signing_key(settings.SECRET_KEY), algorithm="HS256")


def access_read(text: str) -> Claims:
    """Raises Unauthenticated ``token.expired`` for one that was good, ``token.invalid`` for everything else."""
    wrong = Unauthenticated("token.invalid", "This access token is not valid.")
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            # Times are compared below, by the same clock that wrote them.
            options: Any = {"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "sub", "jti"]}
            found = jwt.decode(text, _signing_key(secret), algorithms=["HS256"], issuer=ISSUER, options=options)
            break
        except jwt.InvalidTokenError:
            continue
    else:
        raise wrong
    now = clock.machine_now()
    if now >= datetime.fromtimestamp(found["exp"], UTC):
        raise Unauthenticated("token.expired", "This access token has expired.")
    if now + LEEWAY < datetime.fromtimestamp(found["iat"], UTC):
        raise wrong
    scopes = found.get("scopes")
    return Claims(
        tenant_id=UUID(found["tenant"]),
        subject_id=UUID(found["sub"]),
        kind=str(found["kind"]),
        scopes=tuple(scopes) if scopes is not None else None,
        login_id=UUID(found["sid"]),
        token_id=str(found["jti"]),
    )


def opaque(mark: str) -> str:
    """A new random token: 256 bits, with a mark that secret scanners know it by."""
    return mark + secrets.token_urlsafe(32)


def digest(text: str) -> str:
    """What is kept of an opaque token. It is random, so a plain hash is as good as a slow one."""
    return hashlib.sha256(text.encode()).hexdigest()

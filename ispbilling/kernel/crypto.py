"""Secrets at rest: encrypted columns with keys that can be rotated, and a value that does not print itself.

``FIELD_KEYS`` lists Fernet keys; the first encrypts, all decrypt. To rotate: put a new key in front, restart, run
``manage.py secrets_rotate``, then drop the old key. A stored value is ``<key id>:<token>``.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import models


class Secret:
    """A string that shows itself only when asked by ``reveal()``."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "'***'"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def key_id(key: str) -> str:
    """Eight hexadecimal digits naming a key without telling it."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


@lru_cache(maxsize=8)
def _ring(keys: tuple[str, ...]) -> dict[str, Fernet]:
    if not keys:
        raise RuntimeError("FIELD_KEYS is empty: nothing can be encrypted")
    return {key_id(key): Fernet(key) for key in keys}


def encrypt(text: str) -> str:
    """``<key id>:<token>`` under the first key."""
    ring = _ring(tuple(settings.FIELD_KEYS))
    name, fernet = next(iter(ring.items()))
    return f"{name}:{fernet.encrypt(text.encode()).decode()}"


def decrypt(stored: str) -> str:
    """The text. Raises InvalidToken when the key is gone or the value was changed."""
    name, _, token = stored.partition(":")
    fernet = _ring(tuple(settings.FIELD_KEYS)).get(name)
    if fernet is None:
        raise InvalidToken(f"no key {name} in FIELD_KEYS")
    return fernet.decrypt(token.encode()).decode()


def is_current(stored: str) -> bool:
    """Whether the value is under the first key."""
    return stored.startswith(next(iter(_ring(tuple(settings.FIELD_KEYS)))) + ":")


if TYPE_CHECKING:
    _SecretTextField = models.TextField[str | Secret, Secret]
    _SecretJSONField = models.TextField[dict[str, Any], dict[str, Any]]
else:
    _SecretTextField = _SecretJSONField = models.TextField


class EncryptedTextField(_SecretTextField):
    """A secret text. In Python a ``Secret`` (a plain ``str`` may be assigned), in the database a token."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Secret | None:
        return None if value is None else Secret(decrypt(value))

    def to_python(self, value: Any) -> Secret | None:
        if value is None or isinstance(value, Secret):
            return value
        return Secret(str(value))

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        return encrypt(value.reveal() if isinstance(value, Secret) else str(value))


class EncryptedJSONField(_SecretJSONField):
    """A small dictionary kept secret as a whole: the credentials of a gateway account."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else SecretDict(json.loads(decrypt(value)))

    def to_python(self, value: Any) -> Any:
        return None if value is None else SecretDict(value)

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else encrypt(json.dumps(dict(value), sort_keys=True))


class SecretDict(dict[str, Any]):
    """A dictionary whose ``repr`` shows the names and hides the values."""

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{name!r}: '***'" for name in self) + "}"

    __str__ = __repr__

"""What a person changes of his own account."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from ispbilling.kernel import audit
from ispbilling.kernel.errors import DomainError


@transaction.atomic
def password_change(*, user: User, password: str, actor: str) -> None:
    """Another password; every session begun with the old one is worth nothing. Raises DomainError ``password.weak``."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise DomainError("password.weak", " ".join(error.messages), fields={"new": error.messages}) from None
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record(actor=actor, verb="password.change", row=user)


@transaction.atomic
def looks_set(*, user: User, theme: str, language: str, name: str | None = None) -> None:
    """How a person likes his pages, and what he is called; empty = as his browser does. Values are a form's."""
    user.theme, user.language = theme, language
    user.name = user.name if name is None else name
    user.save(update_fields=["theme", "language", "name"])

"""Whose money is this? payments cannot know; the app that can registers its answer here."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

#: (what the payer typed, his telephone in E.164 or empty) → the customer's id, or None when nobody claims it.
Resolver = Callable[[str, str], UUID | None]

_resolver: list[Resolver] = []


def register(resolver: Resolver) -> None:
    """Called once, by billing. Raises ValueError for a second one."""
    if _resolver:
        raise ValueError("a resolver is registered already")
    _resolver.append(resolver)


def resolve(typed: str, phone: str) -> UUID | None:
    """The customer this money is for; None goes to suspense."""
    return _resolver[0](typed, phone) if _resolver else None

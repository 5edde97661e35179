"""Whose money is this, and was it given back? payments cannot know; the app that can registers its answers here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from uuid import UUID

#: (what the payer typed, his telephone in E.164 or empty) → the customer's id, or None when nobody claims it.
Resolver = Callable[[str, str], UUID | None]

#: Ids of payments → those whose money was given back.
Returned = Callable[[Collection[UUID]], set[UUID]]

_resolver: list[Resolver] = []
_returned: list[Returned] = []


def register(resolver: Resolver) -> None:
    """Called once, by billing. Raises ValueError for a second one."""
    if _resolver:
        raise ValueError("a resolver is registered already")
    _resolver.append(resolver)


def resolve(typed: str, phone: str) -> UUID | None:
    """The customer this money is for; None goes to suspense."""
    return _resolver[0](typed, phone) if _resolver else None


def register_returned(returned: Returned) -> None:
    """Called once, by billing. Raises ValueError for a second one."""
    if _returned:
        raise ValueError("who tells what was given back is registered already")
    _returned.append(returned)


def returned_among(payment_ids: Collection[UUID]) -> set[UUID]:
    """Those of these payments whose money was given back."""
    return _returned[0](payment_ids) if _returned and payment_ids else set()

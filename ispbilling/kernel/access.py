"""What each URL demands of its caller: declared at the view, enforced in one middleware, tried in one test.

A view without a declaration is refused. ``staff("customers:view")`` wants a membership with that permission,
``customer()`` a signed-in subscriber, ``hook()`` an unguessable token in the path, ``public(why)`` nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponseBase

V = TypeVar("V", bound=Callable[..., Any])
Guard = Callable[[HttpRequest, "Rule"], HttpResponseBase | None]


class Audience(StrEnum):
    PUBLIC = "public"
    STAFF = "staff"
    CUSTOMER = "customer"
    HOOK = "hook"


@dataclass(frozen=True, slots=True)
class Rule:
    """``permission`` is for staff; ``reason`` says why something is open to everybody.

    ``methods`` names what a method demands on top of that: whoever may look may not write yet.
    """

    audience: Audience
    permission: str = ""
    reason: str = ""
    methods: Mapping[str, str] = field(default_factory=dict)

    def demands(self, method: str) -> frozenset[str]:
        """Every permission needed for a request of this method."""
        asked = "GET" if method == "HEAD" else method
        return frozenset(filter(None, (self.permission, self.methods.get(asked))))


_guards: dict[Audience, Guard] = {}

#: Views of libraries, by URL name: they cannot carry a declaration.
THIRD_PARTY: dict[str, Rule] = {}


def _declare(rule: Rule) -> Callable[[V], V]:
    def mark(view: V) -> V:
        view.access = rule  # type: ignore[attr-defined]
        return view

    return mark


def staff(permission: str, **methods: str) -> Callable[[V], V]:
    """``staff("customers:view", POST="pppoe:add_user")``: to look, and what writing needs besides."""
    return _declare(Rule(Audience.STAFF, permission=permission, methods=methods))


def customer() -> Callable[[V], V]:
    return _declare(Rule(Audience.CUSTOMER))


def hook() -> Callable[[V], V]:
    return _declare(Rule(Audience.HOOK, reason="the path carries an unguessable token"))


def public(reason: str) -> Callable[[V], V]:
    return _declare(Rule(Audience.PUBLIC, reason=reason))


def rule_of(view: Callable[..., Any], view_name: str) -> Rule | None:
    """The declaration of a resolved view, or None."""
    found: Rule | None = getattr(view, "access", None) or getattr(getattr(view, "cls", None), "access", None)
    return found or THIRD_PARTY.get(view_name)


def guard(audience: Audience) -> Callable[[Guard], Guard]:
    """Decorator: the function that lets in or turns away one audience."""

    def add(function: Guard) -> Guard:
        if audience in _guards:
            raise ValueError(f"{audience} has two guards")
        _guards[audience] = function
        return function

    return add


def check(request: HttpRequest, rule: Rule) -> HttpResponseBase | None:
    """None lets the request in. A missing guard is a bug and raises."""
    if rule.audience in (Audience.PUBLIC, Audience.HOOK):
        return None
    return _guards[rule.audience](request, rule)

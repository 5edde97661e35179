"""The registry of what is looked at on the page of health. The app that owns a thing registers its check.

``health.register("ledger", title=_("The book"), order=20, check=function)`` in ``apps.py``. A check runs inside the
viewer's request, as his tenant, and costs a fixed number of queries. It tells what concerns the whole installation
(queues, workers) without a word or a number of another tenant.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

log = structlog.get_logger(__name__)


class State(StrEnum):
    """As bad as it is. The worst of a page is the page's."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"

    @property
    def severity(self) -> int:
        return list(State).index(self)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants to know: at which instant (machine time), and in which zone instants are told."""

    at: datetime
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Detail:
    """One line below the sentence; ``url`` leads to where it can be seen or mended."""

    text: str
    state: State = State.OK
    url: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check saw: one sentence, what to do about it (empty when all is well), and details."""

    state: State
    sentence: str
    todo: str = ""
    details: Sequence[Detail] = ()


Looking = Callable[[Asked], Finding]


@dataclass(frozen=True, slots=True)
class Check:
    """A registered check."""

    name: str
    title: str | Promise
    order: int
    run: Looking
    permission: str


@dataclass(frozen=True, slots=True)
class Result:
    """A check with what it found."""

    check: Check
    finding: Finding


_checks: dict[str, Check] = {}


def register(name: str, *, title: str | Promise, order: int, check: Looking, permission: str = "health:view") -> None:
    """Add a check. Whoever may not open the page of health hears of it with ``permission``.

    Raises ValueError for a name that is there already.
    """
    if name in _checks:
        raise ValueError(f"health check {name!r} is registered twice")
    _checks[name] = Check(name, title, order, check, permission)


def results(asked: Asked, granted: Collection[str] | None = None) -> list[Result]:
    """Every check, or what may be heard with these permissions, looked at now, in their order.

    Call inside a transaction.
    """
    checks = sorted(_checks.values(), key=lambda one: (one.order, one.name))
    return [Result(one, look(one, asked)) for one in checks if granted is None or one.permission in granted]


def worst(found: Sequence[Result]) -> State:
    return max((one.finding.state for one in found), key=lambda state: state.severity, default=State.OK)


def look(check: Check, asked: Asked) -> Finding:
    """What one check sees; that it broke, where it does."""
    try:
        with transaction.atomic():
            return check.run(asked)
    except Exception as error:
        # A page that is opened when something is broken must not break with it; the log has the whole error.
        log.exception("health.failed", check=check.name)
        text = _("This could not be looked at: %(error)s.") % {"error": type(error).__name__}
        return Finding(State.BAD, text, _("The log of the web process has the whole error."))


def age(since: datetime, asked: Asked) -> str:
    """How long ago, in the largest unit that fits: ``3 minutes``."""
    passed = max(asked.at - since, timedelta(0))
    if passed < timedelta(minutes=2):
        count = int(passed.total_seconds())
        return ngettext("%(n)d second", "%(n)d seconds", count) % {"n": count}
    if passed < timedelta(hours=2):
        count = int(passed.total_seconds() // 60)
        return ngettext("%(n)d minute", "%(n)d minutes", count) % {"n": count}
    if passed < timedelta(days=2):
        count = int(passed.total_seconds() // 3600)
        return ngettext("%(n)d hour", "%(n)d hours", count) % {"n": count}
    return ngettext("%(n)d day", "%(n)d days", passed.days) % {"n": passed.days}

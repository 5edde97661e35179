"""Every fault of the three simulators as it is played alone: each word of its choices, at each call it can meet.

Names are ``daraja callback_garbage kind=html``, ``routeros hang /ppp/secret/set applied``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from simulators import faults as web_faults
from simulators.africastalking.faults import FAULTS as TEXT_FAULTS
from simulators.daraja.faults import FAULTS as GATEWAY_FAULTS
from simulators.routeros import faults as router_faults

TABLES: dict[str, Any] = {"daraja": GATEWAY_FAULTS, "sms": TEXT_FAULTS, "routeros": router_faults.KINDS}
#: Calls the product makes in a scenario. It never asks a message provider for its balance.
NEVER_CALLED = {"any", "balance"}
#: Commands that a router is given in every scenario, and the moments of each.
PLACES = ("connect", "/login", "/ppp/secret/print", "/ppp/secret/set", "/ppp/active/remove")
MOMENTS = (None, "before", "applied", "answer", "checked")
#: Faults that last get an end; those without a default that makes sense, a value.
SHORT: dict[str, dict[str, Any]] = {
    "hang": {"for_s": 1.5},
    "slow": {"bytes_per_s": 400},
    "reboot": {"away_s": 0.5, "lose_writes": 1},
    "port_closed": {"for_s": 1.0},
    "cut_after": {"sentences": 12},
    "session_limit": {"limit": 0, "times": 2},
}
MOST_WORDS = 8  # an option with more values than this is a figure, not a choice


@dataclass(frozen=True, slots=True)
class Drawn:
    """One fault as it is armed: at which simulator, with which options."""

    where: str  # daraja, sms or routeros
    options: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.where}: {self.options}"

    @property
    def kind(self) -> str:
        return str(self.options["kind" if self.where == "routeros" else "name"])


def all_alone() -> dict[str, Drawn]:
    """Name → fault, of all kinds."""
    return {name: fault for where in TABLES for name, fault in _of(where)}


def mixture(seed: int) -> list[Drawn]:
    """Three faults by chance, always the same for a seed."""
    random = Random(seed)
    return [_draw(random, where) for where in (random.choice(sorted(TABLES)) for _ in range(3))]


def _two(*given: dict[str, Any]) -> list[Drawn]:
    return [Drawn("daraja", {"times": 4, **options}) for options in given]


#: Faults that are worse together than each alone.
TOGETHER: dict[str, list[Drawn]] = {
    "the answer is lost and another's callback comes": _two(
        {"name": "cut_after", "on": "push"}, {"name": "callback_of_another", "what": "whole"}
    ),
    "the answer is lost and a callback comes whose payment is known": _two(
        {"name": "cut_after", "on": "push", "phone": "254712000000"},
        {"name": "callback_of_another", "what": "whole", "phone": "254712000000"},
    ),
    "the answer is lost and another's receipt is told": _two(
        {"name": "cut_after", "on": "push"}, {"name": "callback_of_another", "what": "receipt"}
    ),
    "the answer is lost and a forger knows the address": _two(
        {"name": "cut_after", "on": "push"}, {"name": "callback_forged", "kind": "other_reference", "on": "open"}
    ),
    "the answer is late and a forger knows the address": _two(
        {"name": "latency", "on": "push", "seconds": 1.0},
        {"name": "callback_early"},
        {"name": "callback_forged", "kind": "other_reference", "on": "open"},
    ),
    "the answer is lost and nobody calls back": _two({"name": "cut_after", "on": "push"}, {"name": "callback_never"}),
    "nobody calls back and receipts repeat": _two({"name": "callback_never"}, {"name": "receipt_repeated"}),
    "first cancelled, then paid, and nobody calls back": _two(
        {"name": "success_after_failure", "seconds": 0.5}, {"name": "callback_never"}
    ),
    "paid, then cancelled, twenty times at once": _two(
        {"name": "failure_after_success", "seconds": 0.1}, {"name": "callback_storm", "copies": 20}
    ),
    "garbage, a storm and a late answer": _two(
        {"name": "callback_garbage", "kind": "truncated"},
        {"name": "callback_storm", "copies": 20},
        {"name": "callback_early"},
    ),
}


def _draw(random: Random, where: str) -> Drawn:
    if where == "routeros":
        return Drawn(where, router_faults.mixture(random, 1)[0])
    return Drawn(where, web_faults.mixture(TABLES[where], random, 1)[0])


def _of(where: str) -> Iterator[tuple[str, Drawn]]:
    if where == "routeros":
        yield from _of_routers()
        return
    for name, fault in sorted(TABLES[where].items()):
        calls = [word for word in _words(fault, "on") if word not in NEVER_CALLED] or [None]
        choices = [option for option in fault.options if option != "on" and len(_words(fault, option)) > 1]
        for call in calls:
            for option in choices or [None]:
                for word in _words(fault, option) if option else [None]:
                    given = {"on": call} if call else {}
                    given |= {option: word} if option else {}
                    told = " ".join(f"{key}={value}" for key, value in given.items())
                    drawn = {**fault.draw(Random(name)), **given}
                    yield f"{where} {name} {told}".strip(), Drawn(where, {"name": name, "times": 2, **drawn})


def _words(fault: web_faults.Fault, option: str | None) -> list[Any]:
    """What an option that is a choice may be; nothing for a figure."""
    if option is None or option not in fault.options:
        return []
    random = Random(0)
    found = {fault.options[option].draw(random) for _ in range(200)}
    return sorted(found, key=str) if len(found) <= MOST_WORDS else []


def _of_routers() -> Iterator[tuple[str, Drawn]]:
    for kind in router_faults.KINDS:
        for place in ("sentence",) if kind == "cut_after" else PLACES:
            for moment in MOMENTS:
                options = {"kind": kind, **SHORT.get(kind, {}), "at": place}
                options |= {"when": moment} if moment else {}
                if kind == "by_hand":
                    yield from _by_hands(options)
                elif _is_possible(options):
                    yield f"routeros {kind} {place} {moment or ''}".strip(), Drawn("routeros", options)


def _by_hands(options: dict[str, Any]) -> Iterator[tuple[str, Drawn]]:
    if options["at"] != "/ppp/secret/print" or options.get("when") != "before":
        return
    for sentence in router_faults.draws.HAND:
        told = " ".join([sentence[0], sentence[-1].lstrip("=").split("=")[0]])
        yield f"routeros by_hand {told}", Drawn("routeros", {**options, "sentence": list(sentence)})


def _is_possible(options: dict[str, Any]) -> bool:
    """Each fault with its moment by name, or without where it knows none."""
    given = {name: value for name, value in options.items() if name != "kind"}
    try:
        _, when, _ = router_faults.read(options["kind"], given)
    except ValueError:
        return False
    return ("when" in options) == bool(when)

"""What a fault may leave behind for good, as data: the broken promise, what must have happened, and why.

Nothing here is a general pardon: a leftover counts only for the very payment, message or line that met the fault, by
the simulators' own journals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulators.africastalking import AfricasTalking
from simulators.daraja import Daraja
from simulators.daraja.till import Push
from simulators.routeros import SimRouter
from tests.faults.books import Wrong

#: Faults of the wire with which a call was accepted and its answer never came.
HIDDEN = {"cut_after", "cut_midway", "timeout_after", "http_error", "html", "truncated", "empty"}
#: With these nothing was accepted, which looks the same from our side.
LOOKS_HIDDEN = HIDDEN | {"cut_before", "timeout_before", "recipients_missing"}


@dataclass
class Facts:
    """What happened at the far ends of one tenant."""

    gateway: Daraja
    texts: AfricasTalking
    routers: Mapping[str, SimRouter]

    def push(self, reference: str) -> Push | None:
        return next((one for one in list(self.gateway.pushes.values()) if one.reference == reference), None)

    def push_faults(self, reference: str) -> set[str]:
        """The faults that came true while this prompt was asked for."""
        found: set[str] = set()
        for entry in list(self.gateway.journal):
            if entry["call"] == "push" and entry["is_accepted"] and f'"{reference}"' in entry["body"]:
                found |= set(entry["faults"])
        return found

    def text_faults(self, phone: str) -> set[str]:
        """The faults that came true while messages to this telephone were sent."""
        digits, found = phone.lstrip("+"), set()
        for entry in list(self.texts.journal):
            if entry["call"] == "messaging" and digits in entry["body"]:
                found |= set(entry["faults"])
        return found

    def row_comments(self, name: str) -> set[str]:
        """What stands as comment at the rows of this name, on any router."""
        rows = [row for router in self.routers.values() for row in router.rows("/ppp/secret")]
        return {row.get("comment", "") for row in rows if row["name"] == name}


@dataclass(frozen=True)
class Leftover:
    """``kinds`` of Wrong that may stay when ``happened`` to that one."""

    kinds: tuple[str, ...]
    happened: Callable[[Wrong, Facts], bool]
    why: str


def _receipt_of_another(wrong: Wrong, facts: Facts) -> bool:
    push = facts.push(wrong.subject)
    twins = [one for one in list(facts.gateway.pushes.values()) if push is not None and one.receipt == push.receipt]
    return len(twins) > 1 and bool(HIDDEN & facts.push_faults(wrong.subject))


def _told_of_another_alone(wrong: Wrong, facts: Facts) -> bool:
    is_hidden = bool(HIDDEN & facts.push_faults(wrong.subject))
    return is_hidden and facts.gateway.faults.fired["callback_of_another"] > 0


def _told_of_another(wrong: Wrong, facts: Facts) -> bool:
    return any(facts.gateway.faults.fired[name] for name in ("callback_of_another", "receipt_repeated"))


def _forged_before_known(wrong: Wrong, facts: Facts) -> bool:
    return bool(facts.gateway.faults.fired["callback_forged"] and HIDDEN & facts.push_faults(wrong.subject))


def _answer_hidden(wrong: Wrong, facts: Facts) -> bool:
    return bool(LOOKS_HIDDEN & facts.text_faults(wrong.subject))


def _row_taken_over(wrong: Wrong, facts: Facts) -> bool:
    return "mine" in facts.row_comments(wrong.subject)


LEFTOVERS = (
    Leftover(
        ("payment.unknown",),
        _receipt_of_another,
        "The answer with the gateway's reference was lost, so only the statement can tell; and there it has the receipt"
        " number of a payment that is booked already. Staff see it as expired.",
    ),
    Leftover(
        ("payment.unknown",),
        _told_of_another_alone,
        "The answer with the gateway's reference was lost, and its only callback was another payment's.",
    ),
    Leftover(
        ("gateway.number",),
        _told_of_another,
        "The gateway itself told, at the attempt's own address, the number of another payment.",
    ),
    Leftover(
        ("gateway.number",),
        _forged_before_known,
        "Somebody knew the attempt's secret address, and called it while the gateway's own reference was not known: the"
        " address was the only proof there was. What was paid in truth is booked once all the same.",
    ),
    Leftover(
        ("message.unknown",),
        _answer_hidden,
        "The provider may have taken it and did not say so. Sending again might be twice; staff see it as unknown.",
    ),
    Leftover(
        ("line.seen", "line.secret", "line.online"),
        _row_taken_over,
        "Somebody put his own comment on the row: it is not ours any more, and never touched. The line tells staff.",
    ),
)


def is_left(wrong: Wrong, facts: Facts) -> bool:
    return any(wrong.kind in one.kinds and one.happened(wrong, facts) for one in LEFTOVERS)

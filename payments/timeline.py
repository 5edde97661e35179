"""A payment told from its rows: asked, what the gateway said, settled. Pure but for the words."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payments.models import Payment, PaymentAttempt, PaymentEvent

_NUMBER = re.compile(r"\d{9,15}")
MOST_SHOWN = 4_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. ``at``: machine time."""

    at: datetime
    icon: str
    tone: str
    title: str
    text: str = ""


def entries_of(payment: Payment, attempts: Sequence[PaymentAttempt], events: Sequence[PaymentEvent]) -> list[Entry]:
    """What happened to a payment, oldest first."""
    found = []
    for attempt in attempts:
        reference = _("Our reference %(ours)s, the gateway's %(theirs)s.")
        theirs = attempt.gateway_reference or _("is not known")
        found.append(
            Entry(
                attempt.started_at,
                "send",
                "info",
                _("The gateway was asked"),
                reference % {"ours": attempt.reference, "theirs": theirs},
            )
        )
    for event in events:
        proof = "" if event.has_token else _("Without our token: believed only after asking.")
        tone = "muted" if event.has_token else "warn"
        title = _("The gateway called back: %(outcome)s") % {"outcome": event.outcome or _("not read yet")}
        found.append(Entry(event.received_at, "bell", tone, title, proof))
    for attempt in attempts:
        if attempt.queries:
            title = ngettext(
                "Asked %(n)d time what became of it", "Asked %(n)d times what became of it", attempt.queries
            )
            said = f"{attempt.code} {attempt.detail}".strip()
            found.append(Entry(attempt.started_at, "refresh", "muted", title % {"n": attempt.queries}, said))
    found.sort(key=lambda entry: entry.at)
    if payment.state == Payment.State.SUCCEEDED and payment.paid_at is not None:
        late = _("After it had been given up.") if payment.is_late else ""
        found.append(Entry(payment.paid_at, "check", "ok", _("Paid"), late))
    elif not payment.is_open:
        at = found[-1].at if found else payment.started_at
        found.append(Entry(at, "x", "bad", str(payment.get_state_display()), payment.reason))
    return found


def shown(body: bytes) -> str:
    """A stored callback for eyes: laid out where it is JSON, telephone numbers hidden but for their ends."""
    text = body.decode("utf-8", "replace")
    try:
        text = json.dumps(_hidden(json.loads(text)), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = _NUMBER.sub(_stars, text)
    return text[:MOST_SHOWN]


def _hidden(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        named = str(value.get("Name", ""))
        return {key: _hidden(one, named if key == "Value" else str(key)) for key, one in value.items()}
    if isinstance(value, list):
        return [_hidden(one) for one in value]
    is_phone = "phone" in name.lower() or "msisdn" in name.lower()
    return _NUMBER.sub(_stars, str(value)) if is_phone else value


def _stars(found: re.Match[str]) -> str:
    digits = found[0]
    return f"{digits[:4]}*****{digits[-3:]}"

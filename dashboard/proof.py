"""A customer's answer and timeline as staff may see them: what a role does not see elsewhere it does not see here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from customers.models import Customer
from customers.selectors import customer_get
from network import proof, timeline
from network.timeline import MONEY, Chain, Kind, Step, Timeline
from network.timeline_wording import chain_sentence, step_sentence
from network.why import Whole
from network.wording import todo, whole_sentence
from sms.models import Message
from sms.selectors import messages_before

PAGE = 25


@dataclass(frozen=True, slots=True)
class Told:
    """A step in words. ``label`` names its chain; ``outcome`` stands at a chain's receipt: when he was online."""

    step: Step
    sentence: str
    label: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the panel and the API show."""

    customer: Customer
    whole: Whole
    sentence: str
    todo: str
    steps: Sequence[Told]
    chains: Sequence[Chain]
    next_before: datetime | None


def kinds_of(granted: frozenset[str]) -> frozenset[Kind]:
    """The kinds of steps that may be seen with these permissions."""
    kinds = frozenset(Kind)
    if "billing:view" not in granted:
        kinds -= MONEY
    if "messages:view" not in granted:
        kinds -= {Kind.MESSAGE}
    return kinds


def customer_proof(
    customer_id: UUID, *, granted: frozenset[str], zone: ZoneInfo, before: datetime | None = None, limit: int = PAGE
) -> Proof:
    """Raises NotFound."""
    customer = customer_get(customer_id)
    whole = proof.customer_why(customer_id)
    kinds = kinds_of(granted)
    found = timeline.only(proof.customer_timeline(customer_id, before=before, limit=limit), kinds)
    if Kind.MESSAGE in kinds:
        messages = messages_before(customer_id, before, limit + proof.MARGIN)
        steps = timeline.ordered([*found.steps, *(_message(row) for row in messages)])
        found = Timeline(steps, found.chains)
    page = timeline.paged(found, before=before, limit=limit)
    sees_money = Kind.RECEIPT in kinds
    told = [_told(step, page, zone, sees_money) for step in page.steps]
    shown = {step.chain for step in page.steps}
    chains = [chain for chain in page.chains.values() if chain.id in shown]
    return Proof(customer, whole, whole_sentence(whole, zone), todo(whole.answer), told, chains, page.next_before)


def _told(step: Step, page: Timeline, zone: ZoneInfo, sees_money: bool) -> Told:
    chain = page.chains.get(step.chain) if step.chain is not None else None
    if chain is None:
        return Told(step, step_sentence(step, zone))
    # The last step of a chain that is shown tells how long it took.
    is_end = step.at == chain.online_at or (chain.online_at is None and step.kind is Kind.RECEIPT)
    sentence = step_sentence(step, zone)
    # A receipt says its number itself.
    label = chain.label if sees_money and chain.label not in sentence else ""
    return Told(step, sentence, label, chain_sentence(chain) if is_end else "")


def _message(row: Message) -> Step:
    text = "" if row.is_secret else row.text  # a one-time code is for the customer alone
    return Step(row.created_at, Kind.MESSAGE, {"state": row.get_state_display(), "text": text})

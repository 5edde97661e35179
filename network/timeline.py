"""One customer's timeline, from the gateway's receipt to the session seen: assembled here, purely; read in ``proof``.

What one payment set going is a *chain*: receipt, book, invoice, subscription, router, session. Everything that was
written by one booking shares its instant to the microsecond, the subscription's change names the expiry its invoice
ends at, and the router's acknowledgement names when its wish was made; no step is attached by nearness in time alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from billing.entitlement import Level
from ispbilling.kernel.money import Money
from network.why import LETTING_IN


class Kind(StrEnum):
    """What happened, in the order in which it follows from each other."""

    RECEIPT = "receipt"
    BOOKED = "booked"
    INVOICE = "invoice"
    WALLET = "wallet"
    SUBSCRIPTION = "subscription"
    HOLD = "hold"
    ACKNOWLEDGED = "acknowledged"
    SESSION_STARTED = "session_started"
    SESSION_STOPPED = "session_stopped"
    MESSAGE = "message"

    @property
    def rank(self) -> int:
        return list(Kind).index(self)


MONEY = frozenset({Kind.RECEIPT, Kind.BOOKED, Kind.INVOICE, Kind.WALLET})
#: A box redials while its router is still written to and read again: its session begins that long before the
#: acknowledgement at most, and never before the wish. A session never seems older than it is (ages are cut to seconds).
CONTACT = timedelta(seconds=30)
REDIAL = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened. ``values`` fill the sentence of its kind; ``chain`` is the receipt's id it came of."""

    at: datetime
    kind: Kind
    values: Mapping[str, object] = field(default_factory=dict)
    amount: Money | None = None
    chain: UUID | None = None
    is_relieved: bool = False  # the end of a session after which the line's next one began at once

    @property
    def rank(self) -> tuple[int, bool]:
        """Where it stands among what happened at its instant."""
        return (Kind.SESSION_STARTED.rank, False) if self.is_relieved else (self.kind.rank, True)


@dataclass(frozen=True, slots=True)
class Chain:
    """A payment and what it led to. ``online_at`` None: not seen (yet). ``was_online``: he had never been off."""

    id: UUID
    label: str
    paid_at: datetime
    online_at: datetime | None = None
    was_online: bool = False

    @property
    def took(self) -> timedelta | None:
        """From paid to online."""
        return None if self.online_at is None else max(self.online_at - self.paid_at, timedelta(0))


# --- What is read ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Receipt:
    id: UUID
    received_at: datetime
    booked_at: datetime
    number: str
    method: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the book and what it did to the wallet (positive: more in it)."""

    key: str
    at: datetime
    memo: str
    wallet: Money | None


@dataclass(frozen=True, slots=True)
class Invoice:
    id: UUID
    number: str
    at: datetime
    total: Money
    subscription_id: UUID | None
    period_until: datetime | None


@dataclass(frozen=True, slots=True)
class Change:
    """A move of a subscription, from the audit. ``verb`` is ``active``, ``extend``, ``suspended`` …"""

    subscription_id: UUID
    at: datetime
    verb: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    at: datetime
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A router's acknowledgement."""

    line_id: UUID
    subscription_id: UUID
    router: str
    generation: int
    level: str
    wished_at: datetime | None
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    line_id: UUID
    started_at: datetime
    stopped_at: datetime | None
    address: str


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything read of one customer, each newest first. Instants are product time."""

    receipts: Sequence[Receipt] = ()
    entries: Sequence[Entry] = ()
    invoices: Sequence[Invoice] = ()
    changes: Sequence[Change] = ()
    holds: Sequence[Hold] = ()
    proofs: Sequence[Proof] = ()
    sessions: Sequence[Session] = ()
    has_all_proofs: bool = True  # False: older acknowledgements were not read


@dataclass(frozen=True, slots=True)
class Timeline:
    """Steps, newest first, the chains they belong to, and where the page after begins."""

    steps: Sequence[Step]
    chains: Mapping[UUID, Chain]
    next_before: datetime | None = None


# --- Assembling -----------------------------------------------------------------------------------------------


def assemble(sources: Sources) -> Timeline:
    """All steps, newest first, each with its chain."""
    chain_at = _chains_by_instant(sources.entries)
    chain_of_period = {
        (one.subscription_id, one.period_until): chain_at[one.at] for one in sources.invoices if one.at in chain_at
    }
    changes = [
        (change, chain_of_period.get((change.subscription_id, change.expires_at)) if change.expires_at else None)
        for change in sources.changes
    ]
    proofs = _proofs_with_chains(sources.proofs, changes, has_all=sources.has_all_proofs)
    sessions = _sessions_with_chains(sources.sessions, proofs)
    steps: list[Step] = [
        *(_receipt(one) for one in sources.receipts),
        *(step for one in sources.entries if (step := _entry(one, chain_at.get(one.at))) is not None),
        *_invoices(sources.invoices, chain_at),
        *(_change(one, chain) for one, chain in changes),
        *(Step(one.at, Kind.HOLD, {"until": one.until, "reason": one.reason}) for one in sources.holds),
        *(_proof(one, chain) for one, chain in proofs),
        *(
            step
            for one, chain in sessions
            for step in _session(one, chain, _is_walled(one, chain, sources.proofs), _next(one, sources.sessions))
        ),
    ]
    chains = {
        one.id: _chain(one, changes, sessions, sources.sessions, sources.proofs, chain_at) for one in sources.receipts
    }
    known = [step if step.chain in chains else replace(step, chain=None) for step in steps]
    return Timeline(ordered(known), chains)


def ordered(steps: Iterable[Step]) -> list[Step]:
    """Newest first; of one instant, the consequence before its cause."""
    return sorted(steps, key=lambda step: (step.at, step.rank), reverse=True)


def paged(timeline: Timeline, *, before: datetime | None, limit: int) -> Timeline:
    """The steps before an instant, about ``limit`` of them: what happened at one instant is never torn apart."""
    steps = [step for step in timeline.steps if before is None or step.at < before]
    end = limit
    while 0 < end < len(steps) and steps[end].at == steps[end - 1].at:
        end += 1
    shown = steps[:end]
    return Timeline(shown, timeline.chains, shown[-1].at if len(steps) > end and shown else None)


def only(timeline: Timeline, kinds: Collection[Kind]) -> Timeline:
    """The steps of some kinds."""
    return Timeline([step for step in timeline.steps if step.kind in kinds], timeline.chains, timeline.next_before)


def _chains_by_instant(entries: Sequence[Entry]) -> dict[datetime, UUID]:
    """Instant of a booking → the receipt that was booked or given its owner."""
    found = {}
    for entry in entries:
        cause, _, row = entry.key.partition(":")
        if cause in ("receipt", "assign"):
            found[entry.at] = UUID(row)
    return found


def _proofs_with_chains(
    proofs: Sequence[Proof], changes: Sequence[tuple[Change, UUID | None]], *, has_all: bool
) -> list[tuple[Proof, UUID | None]]:
    """An acknowledgement that lets a line in which was not let in before belongs to the latest change before it."""
    found: list[tuple[Proof, UUID | None]] = []
    for proof in proofs:
        earlier = [one for one in proofs if one.line_id == proof.line_id and one.generation < proof.generation]
        before = max(earlier, key=lambda one: one.generation, default=None)
        was_let_in = before is not None and before.level in LETTING_IN
        is_known = before is not None or has_all
        chain = None
        if proof.level in LETTING_IN and is_known and not was_let_in and proof.wished_at is not None:
            causes = [
                (change.at, of)
                for change, of in changes
                if change.subscription_id == proof.subscription_id and change.at <= proof.wished_at
            ]
            chain = max(causes, key=lambda one: one[0])[1] if causes else None
        found.append((proof, chain))
    return found


def _sessions_with_chains(
    sessions: Sequence[Session], proofs: Sequence[tuple[Proof, UUID | None]]
) -> list[tuple[Session, UUID | None]]:
    """The first session begun under a chained acknowledgement is what the payer waited for."""
    first: dict[int, UUID] = {}
    for proof, chain in proofs:
        if chain is None or proof.wished_at is None:
            continue
        begins = max(proof.wished_at, proof.seen_at - CONTACT)
        after = [
            (one.started_at, n)
            for n, one in enumerate(sessions)
            if one.line_id == proof.line_id and one.started_at >= begins
        ]
        if after:
            # One that began for certain after the wish goes before one that only may have.
            certain = [one for one in after if one[0] >= proof.wished_at]
            first[(min(certain) if certain else max(after))[1]] = chain
    return [(one, first.get(n)) for n, one in enumerate(sessions)]


def _chain(
    receipt: Receipt,
    changes: Sequence[tuple[Change, UUID | None]],
    chained: Sequence[tuple[Session, UUID | None]],
    sessions: Sequence[Session],
    proofs: Sequence[Proof],
    chain_at: Mapping[datetime, UUID],
) -> Chain:
    paid_at = min(receipt.received_at, receipt.booked_at)
    online_at = min((one.started_at for one, chain in chained if chain == receipt.id), default=None)
    carried = {change.subscription_id for change, chain in changes if chain == receipt.id}
    lines = {proof.line_id for proof in proofs if proof.subscription_id in carried}
    instants = [at for at, chain in chain_at.items() if chain == receipt.id]
    was_online = online_at is None and any(
        one.line_id in lines and one.started_at <= at and (one.stopped_at is None or one.stopped_at > at)
        for one in sessions
        for at in instants
        if _was_let_in(proofs, one.line_id, at)
    )
    return Chain(receipt.id, receipt.number or receipt.method, paid_at, online_at, was_online)


def _was_let_in(proofs: Sequence[Proof], line_id: UUID, at: datetime) -> bool:
    """Whether the last the router was seen to hold, at an instant, let the line in."""
    seen = [one for one in proofs if one.line_id == line_id and one.seen_at <= at]
    return bool(seen) and max(seen, key=lambda one: one.generation).level in LETTING_IN


def _receipt(one: Receipt) -> Step:
    values = {"number": one.number, "method": one.method}
    return Step(min(one.received_at, one.booked_at), Kind.RECEIPT, values, one.amount, one.id)


def _entry(one: Entry, chain: UUID | None) -> Step | None:
    if one.wallet is None or not one.wallet:
        return None
    is_booking = one.key.startswith(("receipt:", "assign:"))
    kind = Kind.BOOKED if is_booking else Kind.WALLET
    return Step(one.at, kind, {"memo": one.memo}, one.wallet, chain)


def _invoices(invoices: Sequence[Invoice], chain_at: Mapping[datetime, UUID]) -> list[Step]:
    unique = {one.id: one for one in invoices}
    return [
        Step(one.at, Kind.INVOICE, {"number": one.number}, one.total, chain_at.get(one.at)) for one in unique.values()
    ]


def _change(one: Change, chain: UUID | None) -> Step:
    return Step(one.at, Kind.SUBSCRIPTION, {"verb": one.verb, "expires_at": one.expires_at}, chain=chain)


def _proof(one: Proof, chain: UUID | None) -> Step:
    values = {"router": one.router, "level": one.level, "wished_at": one.wished_at}
    return Step(one.seen_at, Kind.ACKNOWLEDGED, values, chain=chain)


def _next(one: Session, sessions: Sequence[Session]) -> Session | None:
    """The session that took this one's place: it began after it and was there when it was seen to be over."""
    if one.stopped_at is None:
        return None
    others = (
        other
        for other in sessions
        if other.line_id == one.line_id
        and one.started_at < other.started_at <= one.stopped_at
        and (other.stopped_at is None or other.stopped_at >= one.stopped_at)
    )
    return min(others, key=lambda other: other.started_at, default=None)


def _session(one: Session, chain: UUID | None, is_walled: bool, after: Session | None) -> list[Step]:
    """Its start and its end. An end is written when it is noticed, perhaps after the box has dialled anew."""
    values = {"address": one.address, "is_walled": is_walled}
    steps = [Step(one.started_at, Kind.SESSION_STARTED, values, chain=chain)]
    if after is not None:
        steps.append(Step(after.started_at, Kind.SESSION_STOPPED, values, is_relieved=True))
    elif one.stopped_at is not None:
        steps.append(Step(one.stopped_at, Kind.SESSION_STOPPED, values))
    return steps


def _is_walled(one: Session, chain: UUID | None, proofs: Sequence[Proof]) -> bool:
    """Whether a session began while its line saw the pay page only. What a payer waited for did not."""
    seen = [proof for proof in proofs if proof.line_id == one.line_id and proof.seen_at <= one.started_at + REDIAL]
    last = max(seen, key=lambda proof: proof.generation, default=None)
    return chain is None and last is not None and last.level == Level.WALLED

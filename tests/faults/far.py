"""What the far ends say, compared with our books: the gateway's payments, who is online and how, what was sent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from billing.entitlement import Level
from billing.models import Receipt
from network.convergence import WALL_LIST, WALLED_PROFILE
from network.models import Line
from payments.models import Payment, PaymentAttempt, PaymentEvent
from simulators.africastalking import AfricasTalking
from simulators.daraja import Daraja
from simulators.daraja.till import PAID, Push
from simulators.routeros import SimRouter
from sms.models import Message
from tests.faults.books import Standing, Wrong, books_wrong, standings_of
from tests.faults.leftovers import Facts, is_left


@dataclass
class Ends:
    """The far ends of one tenant. ``routers`` by the name they have with us."""

    gateway: Daraja
    texts: AfricasTalking
    routers: Mapping[str, SimRouter]


def books_are_right(ends: Ends, *, kills: int = 0) -> list[str]:
    """Everything that is wrong with the current tenant; none is the only good answer. In its context, a transaction.

    ``kills``: how many processes were killed meanwhile; each may leave one message whose outcome nobody knows.
    """
    standings = standings_of()
    wrong = [*books_wrong(), *_gateway(ends), *_lines(ends, standings), *_messages(ends)]
    facts = Facts(ends.gateway, ends.texts, ends.routers)
    left = [one for one in wrong if not is_left(one, facts)]
    unknown = [one for one in left if one.kind == "message.unknown"]
    if len(unknown) <= kills:
        left = [one for one in left if one.kind != "message.unknown"]
    return [str(one) for one in left]


# --- the gateway ----------------------------------------------------------------------------------------------


def _gateway(ends: Ends) -> Iterator[Wrong]:
    """The gateway's list of payments is our list of receipts: none missing, none made up, none paid twice."""
    attempts = {row.token: row for row in PaymentAttempt.objects.select_related("payment", "account")}
    paid: Counter[UUID] = Counter()
    for push in list(ends.gateway.pushes.values()):
        attempt = attempts.get(token_of(push))
        if attempt is None:
            yield Wrong("push.stranger", push.reference, "the gateway was asked for something we know nothing of")
            continue
        paid[attempt.payment_id] += push.state == PAID
        if push.state == PAID:
            yield from _booked(push, attempt.payment)
    for payment in Payment.objects.filter(account__provider="mpesa", state=Payment.State.SUCCEEDED):
        if paid[payment.id] != 1:
            yield Wrong("payment.invented", str(payment.id), f"the gateway knows {paid[payment.id]} payments for it")
    asked = Counter(row.payment_id for row in attempts.values())
    for payment_id, count in asked.items():
        if count > 1:
            yield Wrong("push.twice", str(payment_id), f"asked for {count} times")


def _booked(push: Push, payment: Payment) -> Iterator[Wrong]:
    if payment.state != Payment.State.SUCCEEDED:
        yield Wrong("payment.unknown", push.reference, f"paid at the gateway, {payment.state} with us")
        return
    for receipt in Receipt.objects.filter(payment_id=payment.id):
        if receipt.number not in (None, push.receipt):
            yield Wrong("gateway.number", push.reference, f"{receipt.number} booked, it is {push.receipt}")
        if receipt.amount not in {push.amount, *told_amounts(payment)}:
            yield Wrong("gateway.amount", push.reference, f"{receipt.amount} booked, it is {push.amount}")


def token_of(push: Push) -> str:
    """Our own token of the attempt, in the address of its callback."""
    return push.callback_url.rpartition("/")[2]


def told_amounts(payment: Payment) -> set[Any]:
    """What callbacks at the attempt's own address said: 1 shilling told is a receipt of 1 shilling."""
    found = set()
    for stored in PaymentEvent.objects.filter(attempt__payment=payment, has_token=True):
        try:
            items = json.loads(bytes(stored.body))["Body"]["stkCallback"]["CallbackMetadata"]["Item"]
            found |= {round(item["Value"], 2) for item in items if item["Name"] == "Amount"}
        except (ValueError, KeyError, TypeError):
            continue
    return found


# --- the routers ----------------------------------------------------------------------------------------------


def _lines(ends: Ends, standings: Mapping[UUID, Standing]) -> Iterator[Wrong]:
    """Each line is on its router as its subscription allows, and so is its session."""
    tables = {name: router.rows("/ppp/secret") for name, router in ends.routers.items()}
    truths = {name: router.truth() for name, router in ends.routers.items()}
    for line in Line.objects.select_related("router", "subscription__package__speed_profile"):
        wanted = standings[line.subscription_id].level
        if line.level != wanted:
            yield Wrong("line.level", line.username, f"wished {line.level}, entitled {wanted}")
        if not line.is_converged or line.last_error or line.applied_level != line.level:
            seen = f"{line.applied_generation} of {line.generation}, {line.applied_level}, {line.last_error!r}"
            yield Wrong("line.seen", line.username, seen)
        rows = [row for row in tables[line.router.name] if row["name"] == line.username]
        sessions = [one for one in truths[line.router.name] if one["name"] == line.username]
        yield from _on_router(line, wanted, rows, sessions)


def _on_router(
    line: Line, wanted: Level, rows: list[dict[str, str]], sessions: list[dict[str, Any]]
) -> Iterator[Wrong]:
    speed = line.subscription.package.speed_profile
    full = f"isp-{speed.download_kbps}k-{speed.upload_kbps}k"
    profile = WALLED_PROFILE.name if wanted == Level.WALLED else full
    should = [(profile, "false" if wanted != Level.BLOCKED else "true", f"isp:{line.tenant_id}:{line.id}")]
    secrets = [(row["profile"], row["disabled"], row.get("comment", "")) for row in rows]
    if secrets != should:
        yield Wrong("line.secret", line.username, f"{secrets} on the router, should be {should}")
    online = [(one["profile"], one["rate_limit"], WALL_LIST in one["address_lists"]) for one in sessions]
    rate = "256k/512k" if wanted == Level.WALLED else f"{speed.upload_kbps}k/{speed.download_kbps}k"
    right = [] if wanted == Level.BLOCKED else [(profile, rate, wanted == Level.WALLED)]
    if online != right:
        yield Wrong("line.online", line.username, f"{online} on the router, should be {right}")


# --- messages -------------------------------------------------------------------------------------------------


def _messages(ends: Ends) -> Iterator[Wrong]:
    """Nobody was sent the same twice, every receipt was told of, and what is not known is said to be unknown."""
    taken = Counter((one["to"], one["text"]) for one in list(ends.texts.messages))
    ours = list(Message.objects.all())
    queued = Counter((one.to, one.text) for one in ours)
    for (to, text), count in taken.items():
        if count > queued[to, text]:
            yield Wrong("message.twice", to, f"taken {count} times, queued {queued[to, text]} times: {text}")
    for message in ours:
        if message.state in (Message.State.QUEUED, Message.State.SENDING):
            yield Wrong("message.waiting", message.to, f"{message.code} {message.state} {message.error}")
        elif message.state == Message.State.UNKNOWN:
            yield Wrong("message.unknown", message.to, f"{message.code} {message.error}")
        elif message.state != Message.State.FAILED and not taken[message.to, message.text]:
            yield Wrong("message.claimed", message.to, f"{message.code} {message.state}, and nobody took it")
    keys = {message.key for message in ours}
    for receipt in Receipt.objects.exclude(customer=None):
        if f"receipt:{receipt.id}" not in keys:
            yield Wrong("message.missing", str(receipt.customer_id), f"not told of {receipt.number}")

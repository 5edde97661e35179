"""The outside as it answered then: a gateway, a message provider and routers, in this process, without a wire.

Only calls are stood in for. Callbacks are read by the real adapter, and what a router holds is compared and believed by
the real services.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import ClassVar
from zoneinfo import ZoneInfo

from dashboard.demo.far_ends import mac_of
from ispbilling.kernel import clock
from network.drivers.base import (
    Applied,
    Garden,
    GardenSeen,
    LineSeen,
    LineWanted,
    Plan,
    Profile,
    ProfileSeen,
    RouterDriver,
    RouterFacts,
    RouterState,
    RuleSeen,
    RuleSet,
    SessionSeen,
    Target,
    WallPlan,
    WallState,
    drivers,
)
from network.drivers.mikrotik.driver import MikroTik
from payments.providers.base import Attempt, Outcome, PushSent, Result, providers
from payments.providers.mpesa import Mpesa
from sms.channels.africastalking import AfricasTalking
from sms.channels.base import Delivery, Outgoing, Sent, channels

NAIROBI = ZoneInfo("Africa/Nairobi")
TEXTS = {
    0: "The service request is processed successfully.",
    1: "The balance is insufficient for the transaction.",
    1032: "Request cancelled by user",
    1037: "DS timeout user cannot be reached",
}


@contextmanager
def stand_ins() -> Iterator[None]:
    """For a while this process speaks to nobody outside."""
    with ExitStack() as stack:
        stack.enter_context(providers.replaced("mpesa", RememberedMpesa))
        stack.enter_context(channels.replaced("africastalking", RememberedTexts))
        stack.enter_context(drivers.replaced("mikrotik", RememberedRouter))
        yield


class RememberedMpesa(Mpesa):
    """Every push is taken; what becomes of it the callback tells."""

    def start(self, attempt: Attempt) -> PushSent:
        return PushSent(f"ws_CO_{attempt.reference}", "Success. Request accepted for processing")

    def query(self, attempt: Attempt) -> Result:
        return Result(Outcome.PENDING, attempt.gateway_reference, code="500.001.1001", detail="still processing")

    def ping(self) -> None:
        """It is there."""


def callback_of(*, reference: str, code: int, amount: Decimal, receipt: str, phone: str) -> bytes:
    """The body Daraja posts at the end of a push."""
    told: dict[str, object] = {"CheckoutRequestID": reference, "ResultCode": code, "ResultDesc": TEXTS[code]}
    if code == 0:
        instant = clock.machine_now().astimezone(NAIROBI)
        told["CallbackMetadata"] = {
            "Item": [
                {"Name": "Amount", "Value": float(amount)},
                {"Name": "MpesaReceiptNumber", "Value": receipt},
                {"Name": "TransactionDate", "Value": int(f"{instant:%Y%m%d%H%M%S}")},
                {"Name": "PhoneNumber", "Value": int(phone.lstrip("+"))},
            ]
        }
    return json.dumps({"Body": {"stkCallback": told}}).encode()


class RememberedTexts(AfricasTalking):
    """Messages arrive, but for two in a hundred."""

    batch_size = 100

    def send(self, messages: Sequence[Outgoing]) -> list[Sent]:
        return [_arrived(message) for message in messages]


def _arrived(message: Outgoing) -> Sent:
    provider_id = f"ATXid_{message.id.replace('-', '')}"
    if zlib.crc32(f"{message.to}{message.text}".encode()) % 100 < 2:
        return Sent(message.id, Delivery.FAILED, provider_id, code="AbsentSubscriber")
    return Sent(message.id, Delivery.DELIVERED, provider_id, cost=Decimal("0.8000"), currency="KES", code="101")


@dataclass(slots=True)
class Dialled:
    """One session of one line: it lasts ``until`` and carries so many bytes a second on average."""

    key: str
    address: str
    mac: str
    began_at: datetime
    until: datetime
    download_bps: int
    upload_bps: int


@dataclass(slots=True)
class Box:
    """One router: what was written to it, and who is online behind it."""

    name: str
    number: int
    began_at: datetime
    profiles: dict[str, Profile] = field(default_factory=dict)
    lines: dict[str, LineSeen] = field(default_factory=dict)
    online: dict[str, Dialled] = field(default_factory=dict)
    dials: dict[str, int] = field(default_factory=dict)
    garden: tuple[Garden, ...] = ()
    rules: tuple[RuleSeen, ...] = ()
    redirects: tuple[RuleSeen, ...] = ()
    rows: int = 0

    def look(self) -> list[SessionSeen]:
        """Who is online now: sessions that ended are gone, boxes that are on have dialled again."""
        now = clock.machine_now()
        for name in [name for name, one in self.online.items() if one.until <= now]:
            del self.online[name]
        for line in self.lines.values():
            if line.is_enabled and line.username not in self.online:
                self._dial(line, now)
        return [_seen(name, one, now) for name, one in sorted(self.online.items())]

    def _dial(self, line: LineSeen, now: datetime) -> None:
        count = self.dials[line.username] = self.dials.get(line.username, 0) + 1
        dice = Random(f"{self.name}:{line.username}:{now:%Y%m%d%H}")
        if dice.random() < 0.06:  # nobody at home, or no power
            return
        number = zlib.crc32(line.username.encode())
        speed = self.profiles[line.profile].download_kbps or 10_000
        used = speed * 125 * (0.008 + 0.05 * dice.random() ** 2)
        began = max(now - timedelta(seconds=int(60 + 3000 * dice.random())), self.began_at) if count > 1 else now
        self.online[line.username] = Dialled(
            key=f"{now:%y%m%d%H%M%S}-{number:08x}",
            address=f"10.{20 + self.number}.{number >> 8 & 255}.{1 + number % 250}",
            mac=mac_of(self.name, line.username),
            began_at=began,
            until=now + timedelta(hours=9 + 130 * dice.random()),
            download_bps=int(used),
            upload_bps=int(used * (0.06 + 0.1 * dice.random())),
        )

    def row(self) -> str:
        self.rows += 1
        return f"*{self.rows:X}"


def _seen(name: str, one: Dialled, now: datetime) -> SessionSeen:
    seconds = max(0, int((now - one.began_at).total_seconds()))
    return SessionSeen(
        id=one.key,
        username=name,
        key=one.key,
        address=one.address,
        mac=one.mac,
        uptime_s=seconds,
        download_bytes=one.download_bps * seconds,
        upload_bytes=one.upload_bps * seconds,
    )


class RememberedRouter(RouterDriver):
    """A connection to a ``Box``, found by address and port."""

    name, title, facts = MikroTik.name, MikroTik.title, MikroTik.facts
    default_port, default_tls_port = MikroTik.default_port, MikroTik.default_tls_port
    boxes: ClassVar[dict[tuple[str, int], Box]] = {}

    def __init__(self, box: Box) -> None:
        self.box = box

    @classmethod
    def connect(cls, target: Target) -> RememberedRouter:
        return cls(cls.boxes[target.host, target.port])

    def describe(self) -> RouterFacts:
        uptime = clock.machine_now() - self.box.began_at
        return RouterFacts(self.box.name, "7.16.1 (stable)", "RB5009UG+S+", int(uptime.total_seconds()))

    def read(self) -> RouterState:
        profiles = {name: ProfileSeen(name, profile, is_ours=True) for name, profile in self.box.profiles.items()}
        now = clock.machine_now()
        online = [_seen(name, one, now) for name, one in sorted(self.box.online.items())]
        return RouterState(profiles, dict(self.box.lines), online)

    def apply(self, plan: Plan) -> Applied:
        box = self.box
        for profile in (*plan.profiles_add, *(profile for _, profile in plan.profiles_set)):
            box.profiles[profile.name] = profile
        for wanted in plan.lines_add:
            box.lines[wanted.username] = line_seen(wanted, box.row())
        by_id = {line.id: line for line in box.lines.values()}
        for rewrite in plan.lines_rewrite:
            box.lines.pop(by_id[rewrite.id].username)
            box.lines[rewrite.wanted.username] = line_seen(rewrite.wanted, rewrite.id)
        for change in plan.lines_change:
            for row in change.ids:
                line = by_id[row]
                box.lines[line.username] = replace(line, profile=change.profile, is_enabled=change.is_enabled)
        for row in plan.lines_remove:
            box.lines.pop(by_id[row].username, None)
        for name in plan.disconnect:
            box.online.pop(name, None)
        return Applied()

    def sessions(self) -> list[SessionSeen]:
        return self.box.look()

    def read_wall(self) -> WallState:
        garden = tuple(GardenSeen(row.mark, row, is_enabled=True) for row in self.box.garden)
        return WallState(garden, self.box.rules, self.box.redirects)

    def apply_wall(self, plan: WallPlan) -> Applied:
        box = self.box
        kept = tuple(row for row in box.garden if row.mark not in plan.garden_remove)
        box.garden = kept + plan.garden_add
        box.rules, box.redirects = self._rules(box.rules, plan.rules), self._rules(box.redirects, plan.redirects)
        return Applied()

    def _rules(self, there: tuple[RuleSeen, ...], change: RuleSet) -> tuple[RuleSeen, ...]:
        added = tuple(RuleSeen(self.box.row(), rule.mark, rule, is_enabled=True) for rule in change.add)
        return added + tuple(rule for rule in there if rule.id not in change.remove)

    def close(self) -> None:
        """Nothing is open."""


def line_seen(wanted: LineWanted, row: str) -> LineSeen:
    return LineSeen(row, wanted.mark, wanted.username, wanted.password, wanted.profile, wanted.is_enabled)

"""Letting a plan happen: each act through the service that does it in earnest, dated when it was.

An act that has happened happens no second time: every one has its key, its receipt or its row to be recognised by. So a
fill that was killed begins anew with the day it was in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from django.db import transaction
from django.db.models import F

from accounts.models import Membership, Tenant
from accounts.services import actor_of
from billing.models import Receipt, Subscription
from billing.services import cash_receive, customer_hold, cycle_run, receipt_assign, recharge_start
from billing.services.receipts import RECHARGE
from customers.models import Customer
from dashboard.demo.plan import Act, Kind, Plan
from dashboard.demo.stand_ins import Box, Dialled, RememberedRouter, callback_of, line_seen
from dashboard.services import customer_remove
from ispbilling.kernel import clock, outbox, tenancy
from ispbilling.kernel.money import Money
from network.convergence import profile_of
from network.models import Line, Router, Session
from network.services import line_open, router_converge
from network.services.convergence import wanted_of
from packages.models import Package
from payments.models import Payment, PaymentAttempt, ProviderAccount
from payments.services import account_listen, attempts_ask, money_receive, payment_event_store, payment_start
from sms.services import messages_send
from sms.services.outgoing import BATCH

#: Safaricom's own addresses, from where callbacks come.
GATEWAY_ADDRESS = "196.201.214.200"
MOMENT = timedelta(seconds=1)
#: Nothing follows from these at once: a new line is written to its router with its first payment, or the next reading.
QUIET = frozenset({Kind.JOIN, Kind.READ})


@dataclass(frozen=True, slots=True)
class Known:
    """What is needed of a customer to act for him."""

    customer_id: UUID
    subscription_id: UUID
    code: str
    phone: str


class Player:
    """One house. Call its methods outside transactions, inside ``stand_ins()`` and ``wake.hushed()``."""

    def __init__(self, plan: Plan, tenant: Tenant) -> None:
        self.plan, self.tenant = plan, tenant
        self.at = plan.first
        self.known: dict[int, Known] = {}
        with self._inside():
            self._read()
        self.acts: dict[Kind, Callable[[Act], None]] = {
            Kind.JOIN: self._join,
            Kind.PUSH: self._push,
            Kind.PUSH_FAILED: self._push,
            Kind.CASH: self._cash,
            Kind.TRANSFER: self._transfer,
            Kind.STRAY: self._transfer,
            Kind.CLAIM: self._claim,
            Kind.HOLD: self._hold,
            Kind.LEAVE: self._leave,
            Kind.LOOK: self._look,
            Kind.READ: self._read_routers,
        }

    def day(self, begin: datetime, acts: Sequence[Act]) -> None:
        """Live through one day."""
        self._live(begin)
        with tenancy.tenant_context(self.tenant.id):
            for act in acts:
                self._live(act.at)
                self.acts[act.kind](act)
                if act.kind not in QUIET:
                    self._settle_down()

    # --- acts -------------------------------------------------------------------------------------------------

    def _join(self, act: Act) -> None:
        if act.who in self.known:
            return
        customer = self.plan.customers[act.who]
        line = line_open(
            name=customer.person.name,
            phones=[customer.person.phone],
            package_id=self.packages[customer.offer],
            router_id=self.routers[customer.router],
            username=customer.person.login,
            email=customer.person.email,
            address=customer.person.address,
            actor=self.staff["support"],
        )
        with transaction.atomic():
            self._know(act.who, Line.objects.select_related("customer").get(id=line.id))

    def _push(self, act: Act) -> None:
        """He taps pay, the phone asks him, and the gateway calls back."""
        who = self.known[act.who]
        with transaction.atomic():
            payment = Payment.objects.filter(idempotency_key=act.key).first()
        payment = payment or self._push_start(act, who)
        self._pass(8, 30)
        with transaction.atomic():
            attempt = PaymentAttempt.objects.get(payment_id=payment.id)
        if not payment.is_open:
            return
        body = callback_of(
            reference=attempt.gateway_reference or f"ws_CO_{attempt.reference}",
            code=act.code,
            amount=payment.amount,
            receipt=act.receipt,
            phone=who.phone,
        )
        payment_event_store(
            account_id=self.mpesa,
            attempt_id=attempt.id,
            has_token=True,
            body=body,
            headers={"content-type": "application/json"},
            source_address=GATEWAY_ADDRESS,
        )

    def _push_start(self, act: Act, who: Known) -> Payment:
        actor = f"customer:{who.customer_id}"
        recharge = recharge_start(subscription_id=who.subscription_id, periods=act.periods, actor=actor)
        return payment_start(
            account_id=self.mpesa,
            customer_id=who.customer_id,
            amount=Money(recharge.total, recharge.currency),
            purpose=RECHARGE,
            purpose_id=recharge.id,
            phone=who.phone,
            idempotency_key=act.key,
            description="Internet",
            actor=actor,
        )

    def _cash(self, act: Act) -> None:
        cash_receive(
            customer_id=self.known[act.who].customer_id,
            amount=act.amount,
            description="Over the counter",
            key=act.key,
            actor=self.staff["billing"],
        )

    def _transfer(self, act: Act) -> None:
        """Money sent by hand, with the customer's code as account or with something nobody knows."""
        who = self.known.get(act.who)
        money_receive(
            account_id=self.mpesa,
            amount=Money(act.amount, self.plan.house.currency),
            receipt=act.receipt,
            payer_text=who.code if who else act.text,
            phone=who.phone if who else "",
            actor="system:payments",
        )

    def _claim(self, act: Act) -> None:
        with transaction.atomic():
            receipt = Receipt.objects.filter(number=act.receipt, customer=None).first()
        who = self.known.get(act.who)
        if receipt is not None and who is not None:
            receipt_assign(receipt_id=receipt.id, customer_id=who.customer_id, actor=self.staff["billing"])

    def _hold(self, act: Act) -> None:
        who = self.known[act.who]
        with transaction.atomic():
            row = Subscription.objects.get(id=who.subscription_id)
        if row.state in (Subscription.State.SUSPENDED, Subscription.State.GRACE) and row.held_until is None:
            customer_hold(
                customer_id=who.customer_id,
                until=clock.now() + min(act.late, timedelta(days=5)),
                reason="Pays when the salary is there",
                actor=self.staff["admin"],
            )

    def _leave(self, act: Act) -> None:
        who = self.known[act.who]
        with transaction.atomic():
            is_there = Customer.objects.filter(id=who.customer_id, deleted_at=None).exists()
        if is_there:
            customer_remove(customer_id=who.customer_id, actor=self.staff["support"])

    def _look(self, _act: Act) -> None:
        """What fell due is done."""
        for account in self.asked:
            account_listen(account_id=account)
        attempts_ask()
        cycle_run()

    def _read_routers(self, _act: Act) -> None:
        """All rows are compared, and who is online is written down."""
        for router in self.routers:
            router_converge(router_id=router)

    # --- what follows -----------------------------------------------------------------------------------------

    def _settle_down(self) -> None:
        """Events to their handlers, messages out, and routers told of what changed."""
        outbox.drain_tenant()
        while messages_send() >= BATCH:
            pass
        with transaction.atomic():
            waiting = Line.objects.exclude(applied_generation=F("generation")).values_list("router_id", flat=True)
            dirty = sorted(set(waiting), key=str)
        if dirty:
            self._pass(2, 6)
            for router in dirty:
                router_converge(router_id=router)
            outbox.drain_tenant()

    # --- time -------------------------------------------------------------------------------------------------

    def _live(self, instant: datetime) -> None:
        """At an instant, or at once when it has been."""
        self.at = max(self.at + MOMENT, instant)
        self._now()

    def _pass(self, least: int, most: int) -> None:
        """Some seconds, the same in every run."""
        self.at += timedelta(seconds=Random(f"{self.plan.seed}:{self.at.isoformat()}").randint(least, most))
        self._now()

    def _now(self) -> None:
        clock.live_at(min(self.at, clock.wall()))

    # --- what is there ----------------------------------------------------------------------------------------

    @contextmanager
    def _inside(self) -> Iterator[None]:
        with tenancy.tenant_context(self.tenant.id), transaction.atomic():
            yield

    def _read(self) -> None:
        """Ids of what the house has, and whatever a run before this one has made."""
        house = self.plan.house
        members = Membership.objects.select_related("user")
        self.staff = {member.role: actor_of(member.user_id) for member in members}
        packages = dict(Package.objects.values_list("name", "id"))
        self.packages = [packages[offer.name] for offer in house.offers]
        routers = {router.name: router for router in Router.objects.all()}
        self.routers = [routers[name].id for name in house.routers]
        accounts = dict(ProviderAccount.objects.values_list("provider", "id"))
        self.mpesa = accounts["mpesa" if house.takes_mpesa else "cash"]
        self.asked = [accounts["mpesa"]] if house.takes_mpesa else []
        numbers = {customer.person.login: number for number, customer in enumerate(self.plan.customers)}
        lines = list(Line.objects.select_related("customer", "router").order_by("id"))
        for line in lines:
            if line.username in numbers:
                self._know(numbers[line.username], line)
        for number, name in enumerate(house.routers):
            box = box_of(routers[name], number, [line for line in lines if line.router.name == name])
            box.began_at = self.plan.first
            RememberedRouter.boxes[routers[name].host, routers[name].port] = box

    def _know(self, number: int, line: Line) -> None:
        phone = self.plan.customers[number].person.phone
        self.known[number] = Known(line.customer_id, line.subscription_id, line.customer.code, phone)


def box_of(router: Router, number: int, lines: Sequence[Line]) -> Box:
    """A router as our own rows say it was seen last."""
    box = Box(router.name, number, clock.machine_now())
    for line in lines:
        if line.applied_generation:
            wanted = wanted_of(line)
            box.lines[line.username] = line_seen(wanted, box.row())
            box.profiles.setdefault(wanted.profile, profile_of(line.level, line.download_kbps, line.upload_kbps))
    names = {line.id: line.username for line in lines}
    for session in Session.objects.filter(router_id=router.id, stopped_at=None).order_by("id"):
        seconds = max(1.0, (session.seen_at - session.started_at).total_seconds())
        box.online[names[session.line_id]] = Dialled(
            key=session.key,
            address=session.address,
            mac=session.mac,
            began_at=session.started_at,
            until=session.seen_at + timedelta(hours=20),
            download_bps=int(session.download_bytes / seconds),
            upload_bps=int(session.upload_bytes / seconds),
        )
    return box

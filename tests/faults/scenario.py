"""A small provider of its own in the shared house, whose customers pay and run out while faults act.

Three customers: Anna was never online and pays by M-Pesa, twice. Ben's hour runs out. Cleo's hour runs out too, and she
pays again at that very moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any
from uuid import UUID, uuid4

from django.db import OperationalError, connection, transaction

from billing.models import Subscription
from dashboard.services import tenant_open
from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.money import Money
from network.models import Line
from network.services import line_open, router_add
from packages.services import package_create
from payments.models import Payment, ProviderAccount
from payments.services import money_receive, provider_account_add
from portal.services import code_send, recharge_pay
from simulators.africastalking import AfricasTalking
from simulators.daraja import Daraja
from simulators.daraja.till import Shop
from sms.models import ChannelAccount
from sms.services import channel_account_add
from tests.faults.far import Ends, books_are_right
from tests.faults.house import House
from tests.faults.kinds import Drawn

ACTOR = "system:faults"
PASSWORD = "line-password"
SETTLES_S = 100.0
LONGEST_STEP_S = 5.0
_numbers = count(1)


@dataclass
class Scenario:
    """``set_up``, then ``act`` while what was drawn is armed, then ``end``, which says what is wrong."""

    house: House
    name: str
    faults: list[Drawn]
    seed: int = 0
    suspension: str = "walled"
    gateway_class: Callable[[], Daraja] = lambda: Daraja(shops=[Shop()])
    reads_statement: bool = True  # where it is not read, the gateway must be asked about a payment it does not tell of
    patience_s: float = 0.0  # how long the faults may take to come true, all of them
    trouble: list[str] = field(default_factory=list)
    fired: list[str] = field(default_factory=list)  # the kinds that came true
    lines: dict[str, Line] = field(default_factory=dict)
    tenant_id: UUID = field(init=False)
    ends: Ends = field(init=False)

    # --- before -----------------------------------------------------------------------------------------------

    def set_up(self) -> None:
        """Far ends, a tenant, and three customers of whom two have paid for an hour and are online."""
        number = next(_numbers)
        self.slug = f"f-{number}-{uuid4().hex[:6]}"
        gateway, texts = self.gateway_class(), AfricasTalking()
        gateway.start()
        texts.start()
        router = self.house.farm.add(self.slug, users={"billing": "billing-api"}, redial_s=0.5)
        self.ends = Ends(gateway, texts, {"tower": router})
        self.tenant_id = tenant_open(
            name=f"Net {number}",
            slug=self.slug,
            currency="KES",
            zone="Africa/Nairobi",
            country="KE",
            domains=[f"{self.slug}.localhost"],
            suspension_mode=self.suspension,
            actor=ACTOR,
        ).id
        self.inside(self._fill)
        for key, line in self.lines.items():
            router.cpe_add(line.username, PASSWORD, f"AA:BB:CC:00:00:{len(key):02X}")
        self.pay_cash("ben", "100")
        self.pay_cash("cleo", "100")

    def _fill(self) -> None:
        shop = next(iter(self.ends.gateway.shops.values()))
        config = {
            "business_shortcode": shop.shortcode,
            "passkey": shop.passkey,
            "consumer_key": shop.consumer_key,
            "consumer_secret": shop.consumer_secret,
            "pull": "yes" if self.reads_statement else "no",
            "nominated_number": "254722000000",
        }
        provider_account_add(
            provider="mpesa", label="M-Pesa", config=config, base_url=self.ends.gateway.url, actor=ACTOR
        )
        provider_account_add(provider="cash", label="Cash", config={}, actor=ACTOR)
        username, api_key = next(iter(self.ends.texts.apps.items()))
        account: ChannelAccount = channel_account_add(
            channel="africastalking",
            label="SMS",
            config={"username": username, "api_key": api_key},
            base_url=self.ends.texts.url,
            actor=ACTOR,
        )
        self.ends.texts.report_url = f"{self.house.url}/hooks/m/{account.token}/report"
        router = router_add(
            name="tower",
            host="127.0.0.1",
            port=self.ends.routers["tower"].port,
            username="billing",
            password="billing-api",
            actor=ACTOR,
        )
        month = package_create(
            name="Home 10",
            price=Decimal(1500),
            period_unit="month",
            period_count=1,
            download_kbps=10_000,
            upload_kbps=5_000,
            actor=ACTOR,
        )
        hour = package_create(
            name="Hour",
            price=Decimal(100),
            period_unit="hour",
            period_count=1,
            download_kbps=4_000,
            upload_kbps=2_000,
            actor=ACTOR,
        )
        for index, key in enumerate(("anna", "ben", "cleo")):
            self.lines[key] = line_open(
                name=key.title(),
                phones=[f"07120000{index:02d}"],
                package_id=(month if key == "anna" else hour).id,
                router_id=router.id,
                username=f"{key}-{self.slug}",
                password=PASSWORD,
                actor=ACTOR,
            )

    # --- what customers do ------------------------------------------------------------------------------------

    def pay_cash(self, key: str, amount: str) -> None:
        customer = self.lines[key].customer

        def pay() -> None:
            account = ProviderAccount.objects.get(provider="cash")
            money_receive(
                account_id=account.id,
                amount=Money(Decimal(amount), "KES"),
                receipt=uuid4().hex[:12],
                payer_text=customer.code,
                actor=ACTOR,
            )

        self.inside(pay)

    def pay(self, key: str) -> Payment | None:
        """Ask for one period as the portal does; None where it says no at once."""
        line = self.lines[key]
        account = self.inside(lambda: ProviderAccount.objects.get(provider="mpesa"))
        phone = f"07120000{list(self.lines).index(key):02d}"
        try:
            with tenancy.tenant_context(self.tenant_id):
                return recharge_pay(
                    customer=line.customer,
                    subscription_id=line.subscription_id,
                    periods=1,
                    account_id=account.id,
                    typed_phone=phone,
                    idempotency_key=uuid4().hex,
                )
        except DomainError:
            return None

    def ask_for_code(self, key: str) -> None:
        phone = f"07120000{list(self.lines).index(key):02d}"
        self.inside(lambda: code_send(typed_phone=phone))

    def arm(self) -> None:
        if any(fault.options.get("on") == "token" for fault in self.faults):
            # A house that took long to stand has pinged its gateway meanwhile, and holds a token for an hour.
            self.inside(lambda: ProviderAccount.objects.update(access_token=None, access_token_until=None))
        for fault in self.faults:
            if fault.where == "routeros":
                self.ends.routers["tower"].fault_add(**fault.options)
            else:
                (self.ends.gateway if fault.where == "daraja" else self.ends.texts).faults.arm(**fault.options)

    def act(self) -> None:
        """Everything customers do while the faults are armed. Some seconds.

        Where a question to the gateway is what goes wrong, there is one to ask: Cleo's callback is lost, and Anna lets
        her prompt stand for a while.
        """
        random, gateway = Random(self.seed), self.ends.gateway
        behaviour = random.choice(("approve", "approve", "approve", "refuse", "no_funds", "timeout", "lost_callback"))
        is_asked = any(
            {"query", "pull"} & {fault.kind.partition("_")[0], fault.options.get("on")} for fault in self.faults
        )
        gateway.behaviours["254712000002"] = ("lost_callback" if is_asked else behaviour, 0.3)
        if is_asked:
            gateway.behaviours["254712000000"] = ("hold", 0.0)
        self.together(lambda: self.pay("anna"), lambda: self.pay("cleo"), lambda: self.ask_for_code("ben"))
        time.sleep(1.5)
        gateway.behaviours["254712000000"] = ("hold", 0.0)
        self.pay("anna")
        for _ in range(3 if is_asked else 1):
            self.house.time_passes(self.tenant_id)
            time.sleep(1.5)
        for push in list(gateway.pushes.values()):
            gateway.end(push, "approve")

    def together(self, *works: Callable[[], Any]) -> None:
        def run(work: Callable[[], Any]) -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001  whatever a customer is shown instead of a page is a finding
                self.trouble.append(f"{type(error).__name__}: {error}")
            finally:
                connection.close()

        with ThreadPoolExecutor(len(works)) as pool:
            list(pool.map(run, works))

    # --- afterwards -------------------------------------------------------------------------------------------

    def become_well(self) -> None:
        """The faults are over, when all came true or ``patience_s`` is."""
        deadline = time.monotonic() + self.patience_s
        while not all(map(self._has_fired, self.faults)) and time.monotonic() < deadline:
            time.sleep(0.2)
        self.fired = [fault.kind for fault in self.faults if self._has_fired(fault)]
        self.ends.gateway.faults.clear()
        self.ends.texts.faults.clear()
        self.ends.routers["tower"].faults_clear()
        self.ends.gateway.behaviours.clear()
        self.ends.gateway.behaviours[None] = ("approve", 0.2)

    def _has_fired(self, fault: Drawn) -> bool:
        if fault.where == "routeros":
            listed = self.ends.routers["tower"].faults_list()
            return any(one["kind"] == fault.kind and one["fired"] for one in listed)
        return bool((self.ends.gateway if fault.where == "daraja" else self.ends.texts).faults.fired[fault.kind])

    def is_unpaid(self, key: str) -> bool:
        row = self.inside(lambda: Subscription.objects.get(id=self.lines[key].subscription_id))
        return bool(row.expires_at is None or row.expires_at <= self.inside(clock.now))

    def end(self, *, kills: int = 0, within_s: float = SETTLES_S) -> list[str]:
        """Wait until everything is right, letting what waits for its instant have it. What is wrong at the last.

        Time passes in ever longer steps: who has just taken something would lose it again to a machine too busy to let
        him begin.
        """
        deadline = time.monotonic() + within_s
        calm, step, passes_at = 0, 0.7, 0.0
        while True:
            wrong = self.trouble + self.wrong(kills)
            calm = calm + 1 if not wrong else 0
            now = time.monotonic()
            if calm >= 2 or (wrong and now > deadline):
                return wrong
            time.sleep(0.7)
            if wrong and now >= passes_at:
                self.house.time_passes(self.tenant_id)
                passes_at, step = now + step, min(step * 1.2, LONGEST_STEP_S)

    def wrong(self, kills: int = 0) -> list[str]:
        """By one look at all tables at the same instant: they go on changing meanwhile."""
        with self.house.snapshot():
            found: list[str] = self.inside(lambda: books_are_right(self.ends, kills=kills))
            return found

    def inside(self, work: Callable[[], Any]) -> Any:
        """In the tenant's context and a transaction; once more where the database was shot meanwhile."""
        for attempt in range(3):
            try:
                with tenancy.tenant_context(self.tenant_id), transaction.atomic():
                    return work()
            except OperationalError:
                connection.close()
                if attempt == 2:
                    raise
                time.sleep(2)
        return None

    def close(self) -> None:
        """Nobody works for this tenant any more, and its far ends are gone."""
        self.house.forget(self.tenant_id)
        self.ends.gateway.stop()
        self.ends.texts.stop()
        self.house.farm.remove(self.slug)
        connection.close()

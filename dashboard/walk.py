"""The main job, walked from outside as a customer would: through HTTP, workers and whatever speaks at the other ends.

Used by ``manage.py demo_check`` and by the story tests. It looks at pages, at the far ends (routers, gateway, message
provider) and at the books, and never lends a hand: what it waits for, the workers do.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

import requests
from django.db import connection, transaction
from django.utils import timezone

from billing.models import Invoice, Receipt, Subscription
from billing.services.ledger import ledger_check
from dashboard.services import tenant_open
from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.models import Event
from network.models import Line, Session
from network.services import line_open, router_add
from network.wall import WALL_LIST
from packages.services import package_create
from payments.models import Payment
from payments.services import provider_account_add
from sms.services import channel_account_add

ACTOR = "system:walk"


class StepFailed(AssertionError):
    """A step of the walk did not come true."""


@dataclass
class FarEnds:
    """The servers at the other ends, by what their launcher announced."""

    control: str
    daraja: str
    africastalking: str
    routers: dict[str, dict[str, Any]]
    mpesa: dict[str, str]
    sms: dict[str, str]

    def ask(self, command: str, /, **body: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.control}/{command}", json=body, timeout=30)
        if answer.status_code != 200:
            raise StepFailed(f"{command}: {answer.text}")
        found: dict[str, Any] = answer.json()
        return found


@dataclass
class Walk:
    """One tenant, one customer, ten steps."""

    ends: FarEnds
    url: str
    slug: str
    suspension: str = "walled"
    zone: str = "Africa/Nairobi"
    patience_s: float = 60
    phone: str = "0712345678"
    router: str = ""
    tenant_id: UUID = field(init=False)
    line: Line = field(init=False)
    web: requests.Session = field(default_factory=requests.Session)

    # --- the steps --------------------------------------------------------------------------------------------

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Each step with its sentence, in order."""
        yield "a provider is set up: gateway, messages, router, package, customer with a line", self.set_up
        yield "the customer signs in with a code sent to his phone", self.sign_in
        yield "he pays: the phone is asked, the gateway calls back, the page says paid", self.pay_first
        yield "the money is booked once: one receipt, one invoice, a balanced book", self.booked_once
        yield "he is told once", lambda: self.told("payment_received", "we received KES 1,500.00", 1)
        yield "the router has his secret and profile, and he is online at full speed", self.online
        yield "his session is read twice and its bytes have grown", self.bytes_grow
        yield "seven, three and one day before the end he is reminded, once each", self.reminded
        yield "a minute before the end he is still online", self.online_until_the_end
        yield f"at the end he is {self.suspension}, and told so once", self.cut
        yield "he pays again and is back at full speed", self.back
        yield "nothing is parked, and the book balances", self.clean

    def set_up(self) -> None:
        tenant = tenant_open(
            name="Walk Net",
            slug=self.slug,
            currency="KES",
            zone=self.zone,
            country="KE",
            domains=[self.host],
            suspension_mode=self.suspension,
            actor=ACTOR,
        )
        self.tenant_id = tenant.id
        self.router = self.router or next(iter(self.ends.routers))
        target = self.ends.routers[self.router]
        with tenancy.tenant_context(tenant.id), transaction.atomic():
            provider_account_add(
                provider="mpesa", label="M-Pesa", config=self.ends.mpesa, base_url=self.ends.daraja, actor=ACTOR
            )
            channel_account_add(
                channel="africastalking",
                label="SMS",
                config=self.ends.sms,
                base_url=self.ends.africastalking,
                actor=ACTOR,
            )
            router = router_add(
                name=self.router,
                host=target["host"],
                port=target["port"],
                username=target["username"],
                password=target["password"],
                actor=ACTOR,
            )
            package = package_create(
                name="Home 10",
                price=Decimal("1500"),
                period_unit="day",
                period_count=30,
                download_kbps=10_000,
                upload_kbps=5_000,
                actor=ACTOR,
            )
            self.line = line_open(
                name="Jane Wanjiku",
                phones=[self.phone],
                package_id=package.id,
                router_id=router.id,
                username=f"jane-{self.slug}",
                password="s3cret-line",
                actor=ACTOR,
            )
        self.ends.ask(
            "routeros.cpe_add", router=self.router, name=self.line.username, password="s3cret-line",
            mac="AA:BB:CC:00:11:22",
        )  # fmt: skip

    def sign_in(self) -> None:
        self.post("/client/sign-in/", {"phone": self.phone})
        text = self.wait("a code by message", lambda: self.texts("your code is")[-1:])[0]
        code = re.search(r"\b(\d{6})\b", text)
        if code is None:
            raise StepFailed(f"no code in {text!r}")
        page = self.post("/client/sign-in/code/", {"code": code[1]})
        self.demand("Jane Wanjiku" in page.text, "the portal does not greet the customer")

    def pay_first(self) -> None:
        self.pay()

    def pay(self) -> None:
        home = self.get("/client/")
        values = {name: _hidden(home.text, name) for name in ("subscription", "key", "account")} | {
            "periods": "1",
            "phone": self.phone,
        }
        status = self.post("/client/pay/", values)
        address = urlsplit(status.url).path
        self.wait("the page says paid", lambda: "Paid. Thank you." in self.get(address).text)

    def booked_once(self) -> None:
        self.demand(self.count(Payment, state=Payment.State.SUCCEEDED) == 1, "not exactly one payment")
        self.demand(self.count(Receipt) == 1, "not exactly one receipt")
        self.demand(self.count(Invoice) == 1, "not exactly one invoice")
        with self.inside():
            self.demand(ledger_check() == [], "the book does not balance")

    def told(self, code: str, words: str, times: int) -> None:
        self.wait(f"a message “{words}”", lambda: len(self.texts(words)) >= times)
        self.demand(len(self.texts(words)) == times, f"told {len(self.texts(words))} times: {code}")

    def online(self) -> None:
        self.wait("online at 10/5 Mbps", lambda: self.truth_has("5000k/10000k"))
        rows = self.ends.ask("routeros.table", router=self.router, path="/ppp/secret")["rows"]
        own = [row for row in rows if row["name"] == self.line.username]
        self.demand(len(own) == 1, "not exactly one secret")
        self.demand(own[0]["password"] == "s3cret-line", "the secret has another password")
        self.demand(own[0]["profile"] == "isp-10000k-5000k", f"the profile is {own[0]['profile']}")
        self.demand(own[0]["disabled"] == "false", "the secret is disabled")
        self.wait("the line is seen as wanted", lambda: self.fresh_line().is_converged)

    def bytes_grow(self) -> None:
        begun: dict[UUID, Session] = {}  # a line that dials anew between two readings begins another session

        def grown() -> tuple[Session, Session] | None:
            seen = self.session()
            if seen is None:
                return None
            first = begun.setdefault(seen.id, seen)
            return (first, seen) if seen.download_bytes > first.download_bytes else None

        first, later = self.wait("more bytes of the same session", grown)
        self.demand(later.readings >= 2, "not read twice")
        self.demand(later.upload_bytes > first.upload_bytes, "no upload counted")

    def reminded(self) -> None:
        for number, days in enumerate((7, 3, 1), start=1):
            self.travel_to(self.expiry() - timedelta(days=days) + timedelta(minutes=1))
            self.told("expiry_near", "your internet ends", number)

    def online_until_the_end(self) -> None:
        self.travel_to(self.expiry() - timedelta(minutes=1))
        runs = self.cycles()
        self.wait("the cycle has run", lambda: self.cycles() >= runs + 2)
        self.demand(self.state() == Subscription.State.ACTIVE, "cut before the end")
        self.demand(self.truth_has("5000k/10000k"), "offline before the end")

    def cut(self) -> None:
        end = self.expiry()
        self.travel_to(end + timedelta(seconds=1))
        self.wait("suspended", lambda: self.state() == Subscription.State.SUSPENDED)
        if self.suspension == "walled":
            self.wait("online in the walled garden", lambda: self.truth_has("256k/512k", WALL_LIST))
        else:
            self.wait("offline", lambda: not self.truth())
            rows = self.ends.ask("routeros.table", router=self.router, path="/ppp/secret")["rows"]
            own = next(row for row in rows if row["name"] == self.line.username)
            self.demand(own["disabled"] == "true", "the secret is not disabled")
        there = timezone.localtime(end, ZoneInfo(self.zone))
        self.told("suspended", f"your internet ended on {there.day} {there:%b %Y %H:%M}", 1)

    def back(self) -> None:
        self.pay()
        self.wait("online at full speed again", lambda: self.truth_has("5000k/10000k"))
        self.wait(
            "out of the walled garden", lambda: not any(WALL_LIST in one["address_lists"] for one in self.truth())
        )
        self.demand(self.state() == Subscription.State.ACTIVE, "not active")
        self.demand(self.count(Invoice) == 2, "not exactly two invoices")

    def clean(self) -> None:
        self.told("payment_received", "we received KES 1,500.00", 2)
        with self.inside():
            self.demand(ledger_check() == [], "the book does not balance")
            parked = list(Event.objects.filter(state=Event.State.PARKED).values_list("name", "last_error"))
            self.demand(parked == [], f"parked: {parked}")

    # --- looking ----------------------------------------------------------------------------------------------

    @property
    def host(self) -> str:
        return f"{self.slug}.localhost"

    def get(self, path: str) -> requests.Response:
        return self._checked(self.web.get(self.url + path, headers={"Host": self.host_header}, timeout=30))

    def post(self, path: str, values: dict[str, str]) -> requests.Response:
        """Fill in a form: its page is fetched first, for the token against forgery."""
        page = self.get("/client/" if path.endswith("/pay/") else path)
        token = _hidden(page.text, "csrfmiddlewaretoken")
        headers = {"Host": self.host_header, "Referer": self.url + path}
        answer = self.web.post(
            self.url + path,
            data={**values, "csrfmiddlewaretoken": token},
            headers=headers,
            timeout=60,
            allow_redirects=False,
        )
        if answer.status_code in (301, 302, 303):
            return self.get(urlsplit(answer.headers["Location"]).path)
        return self._checked(answer)

    @property
    def host_header(self) -> str:
        return f"{self.host}:{urlsplit(self.url).port}"

    def _checked(self, answer: requests.Response) -> requests.Response:
        if answer.status_code in (301, 302, 303):
            return self.get(urlsplit(answer.headers["Location"]).path)
        if answer.status_code != 200:
            raise StepFailed(f"{answer.url}: HTTP {answer.status_code}: {_words(answer.text)}")
        return answer

    def truth(self) -> list[dict[str, Any]]:
        """Who is really online on the router, by the router."""
        online = self.ends.ask("routeros.truth", router=self.router)["online"]
        return [one for one in online if one["name"] == self.line.username]

    def truth_has(self, rate_limit: str, listed: str = "") -> bool:
        return any(
            one["rate_limit"] == rate_limit and (not listed or listed in one["address_lists"]) for one in self.truth()
        )

    def texts(self, words: str) -> list[str]:
        """Messages the provider took for this customer's phone."""
        found = self.ends.ask("sms.messages", phone="+254" + self.phone[1:])["messages"]
        return [one["text"] for one in found if words in one["text"]]

    def inside(self) -> Any:
        return _Inside(self.tenant_id)

    def count(self, model: Any, **filters: Any) -> int:
        with self.inside():
            return int(model.objects.filter(**filters).count())

    def subscription(self) -> Subscription:
        with self.inside():
            found: Subscription = Subscription.objects.get(id=self.line.subscription_id)
            return found

    def state(self) -> str:
        return str(self.subscription().state)

    def expiry(self) -> datetime:
        found = self.subscription().expires_at
        if found is None:
            raise StepFailed("nothing is paid for")
        return found

    def fresh_line(self) -> Line:
        with self.inside():
            found: Line = Line.objects.get(id=self.line.id)
            return found

    def session(self) -> Session | None:
        with self.inside():
            found: Session | None = Session.objects.filter(line_id=self.line.id, stopped_at=None).first()
            return found

    def cycles(self) -> int:
        """A count that grows with each look at what fell due; readings of the router stand for the workers' pulse."""
        found = self.session()
        return found.readings if found else 0

    def travel_to(self, instant: datetime) -> None:
        with transaction.atomic():
            clock.travel(instant - clock.now())
        self.demand(clock.now() >= instant, "the clock did not move")

    def wait(self, what: str, look: Callable[[], Any]) -> Any:
        """Look until something is there. Raises StepFailed."""
        deadline = time.monotonic() + self.patience_s
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            time.sleep(0.1)
        raise StepFailed(f"waited in vain for: {what}")

    @staticmethod
    def demand(is_so: bool, complaint: str) -> None:
        if not is_so:
            raise StepFailed(complaint)


class _Inside:
    """A short look into the tenant's tables, in a transaction of its own so that it sees what workers wrote."""

    def __init__(self, tenant: UUID) -> None:
        self._tenant = tenancy.tenant_context(tenant)
        self._atomic = transaction.atomic()

    def __enter__(self) -> None:
        assert not connection.in_atomic_block
        self._tenant.__enter__()
        self._atomic.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._atomic.__exit__(*error)
        self._tenant.__exit__(*error)


def _hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}"[^>]*\bvalue="([^"]*)"', page)
    if found is None:
        raise StepFailed(f"no field {name} on the page: {_words(page)}")
    return found[1]


def _words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())[:200]

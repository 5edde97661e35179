"""Every failpoint, and what makes a process of the house pass it: the table that kills and outages are run over."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import requests
from django.db import DatabaseError, connection, transaction

from billing.models import Subscription
from ispbilling.kernel import bulk, clock
from tests.faults.house import House, until
from tests.faults.scenario import Scenario
from tests.installation import hidden


class Page:
    """A customer at the portal's pages, of a tenant known by its host name."""

    def __init__(self, scenario: Scenario, phone: str) -> None:
        self.scenario, self.phone = scenario, phone
        self.web = requests.Session()
        self.host = f"{scenario.slug}.localhost:{scenario.house.port}"

    def get(self, path: str) -> requests.Response:
        found = self.web.get(self.scenario.house.url + path, headers={"Host": self.host}, timeout=60)
        return self._followed(found)

    def post(self, path: str, page: str, **values: str) -> requests.Response:
        values["csrfmiddlewaretoken"] = hidden(self.get(page).text, "csrfmiddlewaretoken")
        url = self.scenario.house.url + path
        headers = {"Host": self.host, "Referer": url}
        return self._followed(self.web.post(url, data=values, headers=headers, timeout=60, allow_redirects=False))

    def _followed(self, found: requests.Response) -> requests.Response:
        if found.status_code in (301, 302, 303):
            return self.get(urlsplit(found.headers["Location"]).path)
        return found

    def sign_in(self) -> None:
        self.post("/client/sign-in/", "/client/sign-in/", phone=self.phone)
        code = until(self._code, 60, "a code by message")
        assert "Hello" in self.post("/client/sign-in/code/", "/client/sign-in/code/", code=code).text

    def _code(self) -> str | None:
        texts = [one["text"] for one in self.scenario.ends.texts.messages if one["to"] == f"+254{self.phone[1:]}"]
        codes = [re.findall(r"\b\d{6}\b", text)[0] for text in texts if "your code is" in text]
        return codes[-1] if codes else None

    def pay(self) -> None:
        home = self.get("/client/").text
        values = {name: hidden(home, name) for name in ("subscription", "key", "account")}
        self.post("/client/pay/", "/client/", **values, periods="1", phone=self.phone)


Drive = Callable[[Scenario], None]


@dataclass(frozen=True, slots=True)
class Step:
    """A failpoint. ``ready`` is done before it is armed, ``drive`` leads a process to it."""

    failpoint: str
    drive: Drive
    ready: Drive = lambda _scenario: None
    reads_statement: bool = True

    def scenario(self, house: House, name: str) -> Scenario:
        """A provider of its own, whom nothing is wrong with."""
        return Scenario(house, f"{name}-{self.failpoint}", [], reads_statement=self.reads_statement)


#: Seconds a person takes to type his PIN: longer than the web process or the database takes to be back. A callback
#: that finds nobody is never repeated; when the answer to the push was lost as well, nothing is left to ask by
#: (``leftovers``).
TYPES_S = 16.0


def _sign_in(scenario: Scenario) -> None:
    scenario.ends.gateway.behaviours["254712000000"] = ("approve", TYPES_S)
    page = Page(scenario, "0712000000")
    page.sign_in()
    _pages[scenario.name] = page


_pages: dict[str, Page] = {}


def _pay_by_page(scenario: Scenario) -> None:
    _pages[scenario.name].pay()


def _pay(scenario: Scenario) -> None:
    scenario.pay("anna")


def _pay_untold(scenario: Scenario) -> None:
    """Paid, and the gateway must be asked."""
    scenario.ends.gateway.faults.arm("callback_never", times=1)
    scenario.pay("anna")
    for _ in range(20):
        time.sleep(0.5)
        scenario.house.time_passes(scenario.tenant_id)


def _an_hour_for(key: str, times: int) -> Drive:
    def pay(scenario: Scenario) -> None:
        for _ in range(times):
            scenario.pay_cash(key, "100")

    return pay


def _an_hour_passes(_scenario: Scenario) -> None:
    with transaction.atomic():
        clock.travel(timedelta(minutes=61))


def _anna_pays(scenario: Scenario) -> None:
    scenario.pay("anna")
    until(lambda: not scenario.is_unpaid("anna"), 60, "Anna is paid for")


def _anna_is_kept(scenario: Scenario) -> None:
    """A job over many, of one customer who is paid for: it changes nothing that anybody feels."""
    customer = scenario.lines["anna"].customer_id
    until_day = (clock.now() + timedelta(days=2)).date().isoformat()

    def start() -> None:
        parameters = {"until": until_day, "reason": "holiday"}
        job = bulk.job_plan(action="hold", targets=[customer], parameters=parameters, actor="system:test")
        bulk.job_start(job_id=job.id, actor="system:test")

    scenario.inside(start)


def _until_a_week_is_left(scenario: Scenario) -> None:
    row = scenario.inside(lambda: Subscription.objects.get(id=scenario.lines["anna"].subscription_id))
    with transaction.atomic():
        clock.travel(row.expires_at - timedelta(days=7) + timedelta(minutes=1) - clock.now())


STEPS = (
    Step("payments.start.before_commit", _pay_by_page, _sign_in),
    Step("payments.start.before_call", _pay_by_page, _sign_in),
    Step("payments.start.after_call", _pay_by_page, _sign_in),
    Step("payments.event.stored", _pay),
    Step("payments.event.before_commit", _pay),
    Step("payments.settle.before_commit", _pay),
    Step("payments.query.before_call", _pay_untold, reads_statement=False),
    Step("payments.query.after_call", _pay_untold, reads_statement=False),
    Step("events.after_handler", _pay),
    Step("events.before_commit", _pay),
    Step("billing.receipt.after_receipt_row", _pay),
    Step("billing.receipt.after_post", _pay),
    Step("billing.receipt.after_subscription", _pay),
    Step("billing.receipt.before_commit", _pay),
    Step("billing.cycle.before_commit", _an_hour_passes, _an_hour_for("ben", 1)),
    Step("billing.renew.before_commit", _an_hour_passes, _an_hour_for("ben", 2)),
    Step("network.lines.before_commit", _pay),
    Step("network.converge.before_apply", _pay),
    Step("network.converge.after_apply", _pay),
    Step("network.converge.before_record", _pay),
    Step("network.converge.after_record", _pay),
    Step("sms.queue.before_commit", _pay),
    Step("sms.claim.before_commit", _pay),
    Step("sms.send.before_call", _pay),
    Step("sms.send.after_call", _pay),
    Step("sms.record.before_commit", _pay),
    Step("sms.report.before_commit", _pay),
    Step("kernel.bulk.before_commit", _anna_is_kept),
    Step("billing.remind.before_commit", _until_a_week_is_left, _anna_pays),  # last: it moves the clock by weeks
)


def reach(house: House, step: Step, scenario: Scenario, action: str) -> tuple[str, threading.Thread]:
    """Arm a failpoint and lead a process there. Which process it was, and the thread that leads."""
    names = {house.pid(name): name for name in house.programs}
    house.arm(step.failpoint, action)

    def lead() -> None:
        try:
            step.drive(scenario)
        except (requests.RequestException, DatabaseError, AttributeError, AssertionError):
            pass  # the page or the database went away under the one who leads: that is what the test is about
        finally:
            connection.close()

    thread = threading.Thread(target=lead, daemon=True)
    thread.start()
    until(lambda: house.is_reached(step.failpoint), 60, step.failpoint)
    pid = until(lambda: house.reached_file(step.failpoint).read_text(), 5, "the pid")
    return names[int(pid)], thread


def prepare(house: House, steps: list[Step], name: str) -> list[Scenario]:
    """A standing provider for each step, without any fault."""
    scenarios = [step.scenario(house, name) for step in steps]
    for scenario in scenarios:
        scenario.set_up()
    return scenarios

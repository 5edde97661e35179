"""The check at the end of every scenario sees what it is there to see: each promise is broken once, by force."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from simulators.daraja.till import Push
from tests.faults.house import House
from tests.faults.scenario import Scenario

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("faults")]


@pytest.fixture(scope="module")
def calm(standing_house: House, django_db_blocker: Any) -> Iterator[Scenario]:
    """A provider with which nothing is wrong: Anna has paid by M-Pesa. Nobody works for it any more."""
    with standing_house.entered(django_db_blocker):
        scenario = Scenario(standing_house, "calm", [])
        scenario.set_up()
        scenario.pay("anna")
        assert scenario.end() == []
        standing_house.forget(scenario.tenant_id)
        assert scenario.wrong() == []
        yield scenario
        scenario.close()


def sql(statement: str) -> Callable[[Scenario, Any], None]:
    """A row changed behind everybody's back; what guards the tables against that is off meanwhile."""

    def change(scenario: Scenario, server: Any) -> None:
        server.execute(statement, {"tenant": scenario.tenant_id})

    return change


def unpaid_push(scenario: Scenario, _server: Any) -> None:
    """The gateway took money we know nothing of."""
    [push] = scenario.ends.gateway.pushes.values()
    again = Push("m", "ws_again", push.shortcode, "PAGAIN", 1500, push.phone, push.callback_url, state="0")
    scenario.ends.gateway.pushes["ws_again"] = again


def same_text_again(scenario: Scenario, _server: Any) -> None:
    scenario.ends.texts.messages.append(dict(scenario.ends.texts.messages[0]))


def disabled_by_hand(scenario: Scenario, _server: Any) -> None:
    name = scenario.lines["anna"].username
    scenario.ends.routers["tower"].by_hand("/ppp/secret/set", f"=numbers={name}", "=disabled=yes")


def hung_up(scenario: Scenario, _server: Any) -> None:
    scenario.ends.routers["tower"].cpe_remove(scenario.lines["ben"].username)


MINE = "WHERE tenant_id = %(tenant)s"
ONE = "WHERE id = (SELECT id FROM {} WHERE tenant_id = %(tenant)s LIMIT 1)"
BREAKS: dict[str, tuple[str, Callable[[Scenario, Any], None]]] = {
    "a balance": ("ledger", sql(f"UPDATE billing_ledgerbalance SET amount = amount + 1 {MINE}")),
    "a receipt's amount": ("ledger.account", sql(f"UPDATE billing_receipt SET amount = 77 {MINE}")),
    "a receipt that is missing": (
        "receipt.once",
        sql(f"DELETE FROM billing_receipt {ONE.format('billing_receipt')}"),
    ),
    "an entry that is missing": (
        "ledger.entries",
        sql(f"UPDATE billing_ledgerentry SET key = 'x' {ONE.format('billing_ledgerentry')}"),
    ),
    "a gap in the invoices": (
        "invoice.numbers",
        sql(f"UPDATE billing_invoice SET number = '2026-000099' {ONE.format('billing_invoice')}"),
    ),
    "an expiry": (
        "subscription",
        sql(f"UPDATE billing_subscription SET expires_at = expires_at + interval '1 h' {MINE}"),
    ),
    "a state": ("subscription", sql(f"UPDATE billing_subscription SET state = 'suspended' {MINE}")),
    "a payment never settled": ("payment.unknown", sql(f"UPDATE payments_payment SET state = 'expired' {MINE}")),
    "a payment nobody made": ("payment.invented", lambda one, server: unpay(one)),
    "money taken twice": ("payment.invented", unpaid_push),
    "a number of the gateway": ("gateway.number", sql(f"UPDATE billing_receipt SET number = 'X' || id {MINE}")),
    "an event that waits": (
        "event",
        sql(f"UPDATE kernel_event SET state = 'parked' {ONE.format('kernel_event')}"),
    ),
    "a line's wish": ("line.level", sql(f"UPDATE network_line SET level = 'blocked' {MINE}")),
    "a line not seen": ("line.seen", sql(f"UPDATE network_line SET applied_generation = 0 {MINE}")),
    "a message sent twice": ("message.twice", same_text_again),
    "a message nobody took": ("message.claimed", sql(f"UPDATE sms_message SET text = 'x' || id {MINE}")),
    "a message unsure": ("message.unknown", sql(f"UPDATE sms_message SET state = 'unknown' {MINE}")),
    "a message that waits": ("message.waiting", sql(f"UPDATE sms_message SET state = 'queued' {MINE}")),
    "a receipt not told": ("message.missing", sql(f"UPDATE sms_message SET key = 'x' || id {MINE}")),
    "a secret changed by hand": ("line.secret", disabled_by_hand),
    "somebody offline who has paid": ("line.online", hung_up),
}


def unpay(scenario: Scenario) -> None:
    [push, *_] = scenario.ends.gateway.pushes.values()
    push.state = "1032"


@pytest.mark.parametrize("name", BREAKS)
def test_the_check_sees(house: House, calm: Scenario, name: str) -> None:
    kind, damage = BREAKS[name]
    with house.admin() as server:
        server.execute("SET session_replication_role = replica")  # no triggers, no references
        kept = _kept(calm, server)
        try:
            damage(calm, server)
            assert kind in {text.split()[0] for text in calm.wrong()}
        finally:
            _put_back(calm, server, kept)
    assert [text for text in calm.wrong() if not text.startswith("line.")] == []


TABLES = (
    "billing_ledgerbalance", "billing_receipt", "billing_ledgerentry", "billing_invoice", "billing_subscription",
    "payments_payment", "kernel_event", "network_line", "sms_message",
)  # fmt: skip


def _kept(scenario: Scenario, server: Any) -> dict[str, Any]:
    for table in TABLES:
        server.execute(f"CREATE TEMP TABLE kept_{table} AS SELECT * FROM {table} WHERE tenant_id = %s",
                       [scenario.tenant_id])  # fmt: skip
    pushes = {key: push.state for key, push in scenario.ends.gateway.pushes.items()}
    return {"pushes": pushes, "messages": list(scenario.ends.texts.messages)}


def _put_back(scenario: Scenario, server: Any, kept: dict[str, Any]) -> None:
    for table in TABLES:
        server.execute(f"DELETE FROM {table} WHERE tenant_id = %s", [scenario.tenant_id])
        server.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
    pushes = scenario.ends.gateway.pushes
    for key in set(pushes) - set(kept["pushes"]):
        del pushes[key]
    for key, state in kept["pushes"].items():
        pushes[key].state = state
    scenario.ends.texts.messages[:] = kept["messages"]

"""Nobody is cut while the clock or a gateway cannot be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from billing.models import CutStop
from billing.services import cuts_release, cycle_run
from ispbilling.kernel import clock, clockwatch
from ispbilling.kernel.models import AuditEntry, Event
from payments.models import ProviderAccount
from payments.selectors import accounts_to_ask, gateways_silent
from payments.services import account_heard, account_listen
from sms.models import Message
from tests import factories
from tests.billing.test_cycle import events, many, month, states
from tests.billing.test_receipts import booked
from tests.kernel.test_clockwatch import Machine
from tests.outside import Parrot, nobody

NAMES = ["brake", "clock", "time", "gateway"]


@pytest.fixture
def machine(tmp_path: Path, settings: Any, db: None) -> Machine:
    settings.FAILPOINTS_DIR = str(tmp_path)
    clockwatch.look()
    return Machine(tmp_path)


def opened() -> list[str]:
    return list(CutStop.objects.filter(released_at=None).values_list("cause", flat=True))


# --- the machine's clock -----------------------------------------------------------------------------------------


def test_a_jump_of_a_day_stops_before_the_first_cut_and_says_why(tenant: Any, machine: Machine) -> None:
    many(20, due=3)
    machine.set(days=1)
    assert cycle_run()["changed"] == 0
    [told] = events("cuts_stopped")
    assert (opened(), told["cause"], states()) == (["clock"], "clock", {"active": 20})
    assert told["detail"].startswith("+1 day") or told["detail"].startswith("+23:59")


def test_without_the_guard_they_would_be_cut(tenant: Any, machine: Machine) -> None:
    many(20, due=3)
    machine.set(days=1)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM kernel_clockwatch")  # nothing to compare with
    cycle_run()
    assert states() == {"active": 17, "suspended": 3}


def test_a_person_says_that_the_clock_is_right_and_the_cuts_go_on(tenant: Any, machine: Machine) -> None:
    many(20, due=3)
    machine.set(days=1)
    cycle_run()
    cuts_release(stop_id=CutStop.objects.get().id, actor="user:1")
    cycle_run()
    assert (states(), clockwatch.look().state) == ({"active": 17, "suspended": 3}, "right")


def test_a_jump_that_was_undone_still_needs_the_word(tenant: Any, machine: Machine) -> None:
    many(20, due=3)
    machine.set(days=1)
    cycle_run()
    machine.set()
    cycle_run()
    assert (opened(), states()) == (["clock"], {"active": 17, "grace": 3})


def test_a_clock_that_jumped_spends_no_wallet_and_reminds_nobody(tenant: Any, machine: Machine) -> None:
    row = month()
    booked(row, "4500", None, "B")
    machine.set(days=29)
    counts = cycle_run()
    assert (counts["renewed"], counts["reminded"], opened()) == (0, 0, ["clock"])


def test_a_clock_two_years_back_cuts_nobody_and_needs_nobody_when_it_is_right_again(
    tenant: Any, machine: Machine
) -> None:
    many(20, due=3)
    machine.set(days=-730)
    assert (cycle_run()["changed"], opened()) == (0, [])
    machine.set()
    cycle_run()
    assert (states(), opened()) == ({"active": 17, "suspended": 3}, [])


def test_a_clock_that_stays_unset_is_told_after_a_while_and_ends_by_itself(tenant: Any, machine: Machine) -> None:
    tenant.support_phone = "+254711000000"
    tenant.save()
    many(20, due=3)
    machine.set(days=-730)
    cycle_run()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE kernel_clockwatch SET state_uptime_s = state_uptime_s - 700")
    cycle_run()
    assert opened() == ["time"]
    machine.set()
    cycle_run()
    stop = CutStop.objects.get()
    assert (stop.released_by, states()) == ("system:cycle", {"active": 17, "suspended": 3})
    assert AuditEntry.objects.get(verb="cuts.release").actor == "system:cycle"


def test_the_brake_is_not_loosened_by_another_stops_release(tenant: Any, machine: Machine) -> None:
    many(500, due=200)
    machine.set(days=1)
    cycle_run()
    cuts_release(stop_id=CutStop.objects.get().id, actor="user:1")
    cycle_run()
    assert (opened(), states()) == (["brake"], {"active": 300, "grace": 200})


@pytest.mark.parametrize("cause", NAMES)
def test_staff_are_told_in_words_of_the_cause(tenant: Any, cause: str) -> None:
    from ispbilling.kernel.ids import uuid7
    from sms.services import cuts_stopped_tell

    tenant.support_phone = "+254711000000"
    tenant.save()
    cuts_stopped_tell(stop_id=uuid7(), cause=cause, detail="M-Pesa", would_cut=3, of_active=4)
    text = Message.objects.get().text
    words = {"brake": "3 of 4", "clock": "jumped", "time": "not set", "gateway": "M-Pesa does not answer"}
    assert words[cause] in text


# --- gateways ----------------------------------------------------------------------------------------------------


@pytest.fixture
def gateway(tenant: Any) -> Iterator[Parrot]:
    with Parrot('{"access_token": "abc", "expires_in": "3599"}') as parrot:
        yield parrot


def account(gateway: Parrot) -> ProviderAccount:
    return factories.account_make("mpesa", base_url=gateway.url, label="M-Pesa")


def silent_for(row: ProviderAccount, minutes: float, asked_for: float | None = None) -> None:
    now = clock.machine_now()
    since = None if asked_for is None else now - timedelta(minutes=asked_for)
    ProviderAccount.objects.filter(id=row.id).update(heard_at=now - timedelta(minutes=minutes), silent_since=since)


def test_a_gateway_that_answers_is_heard(gateway: Parrot) -> None:
    row = account(gateway)
    assert accounts_to_ask() == [(row.tenant_id, row.id)]
    assert account_listen(account_id=row.id)
    assert (accounts_to_ask(), gateways_silent()) == ([], [])


def test_one_that_refuses_our_keys_is_heard_too(gateway: Parrot) -> None:
    gateway.status, gateway.body = 401, "{}"
    row = account(gateway)
    assert account_listen(account_id=row.id)


def test_one_that_does_not_answer_is_silent_since_the_first_question(tenant: Any) -> None:
    with nobody() as url:
        row = factories.account_make("mpesa", base_url=url)
        account_heard(account_id=row.id)
        silent_for(row, 20)
        assert not account_listen(account_id=row.id)
        row.refresh_from_db()
        first = row.silent_since
        account_listen(account_id=row.id)
        row.refresh_from_db()
    assert first is not None
    assert row.silent_since == first
    account_heard(account_id=row.id)
    assert gateways_silent() == []


def test_a_gateway_that_never_spoke_holds_nobody(tenant: Any) -> None:
    with nobody() as url:
        row = factories.account_make("mpesa", base_url=url)
        account_listen(account_id=row.id)
    many(20, due=3)
    cycle_run()
    assert states() == {"active": 17, "suspended": 3}


def test_a_quiet_gateway_makes_cuts_wait_before_anybody_is_told(tenant: Any, gateway: Parrot) -> None:
    row = account(gateway)
    silent_for(row, 20)
    many(20, due=3)
    cycle_run()
    assert (states(), opened()) == ({"active": 17, "grace": 3}, [])
    account_listen(account_id=row.id)
    cycle_run()
    assert states() == {"active": 17, "suspended": 3}


def test_a_silent_gateway_stops_the_cuts_and_its_voice_lets_them_go_on(tenant: Any, gateway: Parrot) -> None:
    row = account(gateway)
    silent_for(row, 20, asked_for=6)
    many(20, due=3)
    cycle_run()
    assert (states(), opened()) == ({"active": 17, "grace": 3}, ["gateway"])
    assert events("cuts_stopped")[0]["detail"] == "M-Pesa"
    account_heard(account_id=row.id)
    cycle_run()
    assert (states(), opened()) == ({"active": 17, "suspended": 3}, [])


def test_money_in_the_wallet_renews_while_a_gateway_is_silent(tenant: Any, gateway: Parrot, travel: Any) -> None:
    silent_for(account(gateway), 20, asked_for=6)
    row = month()
    booked(row, "1500", None, "B")
    travel(days=32)
    assert cycle_run()["renewed"] == 1


def test_a_person_may_let_go_earlier_and_the_word_holds_for_this_silence(
    tenant: Any, gateway: Parrot, travel: Any
) -> None:
    row = account(gateway)
    silent_for(row, 20, asked_for=6)
    many(20, due=3)
    cycle_run()
    cuts_release(stop_id=CutStop.objects.get().id, actor="user:1")
    cycle_run()
    assert states() == {"active": 17, "suspended": 3}
    account_heard(account_id=row.id)
    travel(hours=2)
    silent_for(row, 0, asked_for=6)
    ProviderAccount.objects.filter(id=row.id).update(heard_at=clock.machine_now() - timedelta(minutes=16))
    row = month()
    row.next_change_at = row.expires_at = clock.now() - timedelta(minutes=1)
    row.save()
    cycle_run()
    assert opened() == ["gateway"]


def test_a_busy_account_is_written_once_a_minute(tenant: Any, gateway: Parrot) -> None:
    row = account(gateway)
    account_heard(account_id=row.id)
    row.refresh_from_db()
    first = row.heard_at
    account_heard(account_id=row.id)
    row.refresh_from_db()
    assert row.heard_at == first
    assert Event.objects.filter(name="billing.cuts_stopped").count() == 0

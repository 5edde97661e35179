"""Whether the machine's clock can be believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from billing.models import LedgerEntry, Subscription
from ispbilling.kernel import clock, clockwatch, events, outbox
from ispbilling.kernel.clockwatch import ABSURD, TOLERANCE, Known, Reading, State, judge
from ispbilling.kernel.errors import Unavailable
from ispbilling.kernel.models import Event
from tests import factories
from tests.billing.test_receipts import paid

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR, DAY, YEARS = timedelta(hours=1), timedelta(days=1), timedelta(days=730)
KNOWN = Known(NOON, "one", 1000.0)


def reading(off: timedelta = timedelta(0), *, boot: str = "one", later_s: float = 3600, synced: bool = True) -> Reading:
    """An hour after KNOWN, with a clock that is ``off``."""
    return Reading(NOON + timedelta(seconds=later_s) + off, boot, 1000.0 + later_s, synced)


def state(seen: Reading, known: Known | None = KNOWN, *, must: bool = False) -> State:
    return judge(seen, known, must_be_synchronised=must)[0]


@pytest.mark.parametrize(
    ("off", "expected"),
    [
        (timedelta(0), State.RIGHT),
        (timedelta(seconds=80), State.RIGHT),
        (timedelta(seconds=-80), State.RIGHT),
        (HOUR, State.JUMPED),
        (DAY, State.JUMPED),
        (-HOUR, State.BEHIND),
        (-YEARS, State.BEHIND),
    ],
)
def test_within_one_boot_the_counter_tells_what_has_passed(off: timedelta, expected: State) -> None:
    assert state(reading(off)) is expected


def test_over_a_boot_any_time_may_have_passed_but_none_can_have_been_undone() -> None:
    assert state(reading(3 * DAY, boot="two")) is State.RIGHT
    assert state(reading(-HOUR - 2 * TOLERANCE, boot="two")) is State.BEHIND


def test_two_years_back_and_then_right_is_right() -> None:
    assert state(reading(-YEARS, boot="two")) is State.BEHIND
    assert state(reading(boot="two")) is State.RIGHT


def test_before_a_time_server_spoke_the_clock_is_not_believed_where_it_must_be() -> None:
    unheard = reading(synced=False)
    assert (state(unheard, must=True), state(unheard, must=False)) == (State.UNSYNCHRONISED, State.RIGHT)
    assert state(unheard, replace(KNOWN, accepted_boot="one"), must=True) is State.RIGHT
    assert state(reading(synced=False, boot="two"), replace(KNOWN, accepted_boot="one"), must=True) is not State.RIGHT


@given(
    off=st.timedeltas(min_value=-YEARS, max_value=YEARS),
    later=st.floats(0, 1e8),
    is_same_boot=st.booleans(),
)
def test_a_clock_that_is_right_is_never_doubted_and_one_that_is_off_never_believed(
    off: timedelta, later: float, is_same_boot: bool
) -> None:
    found, told = judge(
        reading(off, boot="one" if is_same_boot else "two", later_s=later), KNOWN, must_be_synchronised=True
    )
    if is_same_boot:
        assert (found is State.RIGHT) == (abs(off) <= TOLERANCE)
        assert found is State.RIGHT or abs(told - off) < timedelta(milliseconds=1)
    else:
        assert (found is State.BEHIND) == (timedelta(seconds=later) + off < -TOLERANCE)


def test_what_may_be_dated_and_what_may_be_renewed() -> None:
    verdicts = [
        clockwatch.Verdict(State.RIGHT),
        clockwatch.Verdict(State.UNSYNCHRONISED),
        clockwatch.Verdict(State.JUMPED, HOUR),
        clockwatch.Verdict(State.JUMPED, ABSURD + HOUR),
        clockwatch.Verdict(State.BEHIND, -HOUR),
    ]
    assert [one.may_date for one in verdicts] == [True, True, True, False, False]
    assert [one.may_renew for one in verdicts] == [True, True, False, False, False]


# --- the machine's clock, moved under all of the product ---------------------------------------------------------


class Machine:
    """This machine, with a clock a test may set wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def set(self, **off: float) -> None:
        (self.folder / "machine_clock").write_text(str(timedelta(**off).total_seconds()))

    def boot(self, name: str) -> None:
        (self.folder / "machine_boot").write_text(name)


@pytest.fixture
def machine(tmp_path: Path, settings: Any, db: None) -> Machine:
    settings.FAILPOINTS_DIR = str(tmp_path)
    made = Machine(tmp_path)
    assert clockwatch.look().state is State.RIGHT
    return made


def test_this_machine_is_believed_and_the_reading_kept(machine: Machine) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, boot FROM kernel_clockwatch")
        assert cursor.fetchall() == [("right", clockwatch.read().boot)]


def test_a_jump_stays_known_until_it_is_undone(machine: Machine) -> None:
    machine.set(days=1)
    assert clockwatch.look().state is State.JUMPED
    assert clockwatch.look().off > DAY - HOUR
    machine.set()
    assert clockwatch.look().state is State.RIGHT


def test_a_persons_word_makes_the_clock_right(machine: Machine) -> None:
    machine.set(days=1)
    clockwatch.look()
    clockwatch.accept()
    assert clockwatch.look().state is State.RIGHT
    machine.set()
    assert clockwatch.look().state is State.BEHIND


def test_the_first_reading_of_an_unset_clock_binds_nobody(machine: Machine, settings: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM kernel_clockwatch")
    settings.CLOCK_MUST_BE_SYNCHRONISED = True
    machine.set(days=-900)
    first = clockwatch.look().state
    settings.CLOCK_MUST_BE_SYNCHRONISED = False
    machine.set()
    assert clockwatch.look().state is State.RIGHT
    assert first in (State.UNSYNCHRONISED, State.RIGHT)


def test_while_the_clock_is_certainly_wrong_nothing_is_booked_and_later_all(
    machine: Machine, tenant: Any, settings: Any
) -> None:
    subscription = factories.subscription_make()
    machine.set(days=-730)
    with pytest.raises(Unavailable, match="clock"), transaction.atomic():
        paid(subscription, "1500")
    assert (LedgerEntry.objects.count(), Subscription.objects.get().state) == (0, "pending")
    machine.set()
    paid(subscription, "1500")
    assert Subscription.objects.get().state == "active"


def test_events_wait_for_the_clock_and_count_no_attempt(machine: Machine, tenant: Any) -> None:
    subscription = factories.subscription_make()
    paid(subscription, "1500")
    machine.set(days=-730)
    assert [outbox.drain(shard) for shard in range(events.SHARDS)] == [0] * events.SHARDS
    assert set(Event.objects.values_list("state", "attempts")) == {("pending", 0)}
    machine.set()
    while sum(outbox.drain(shard) for shard in range(events.SHARDS)):
        pass
    assert set(Event.objects.values_list("state", flat=True)) == {"done"}


def test_an_event_written_by_a_clock_that_ran_ahead_is_not_waited_for(machine: Machine, tenant: Any) -> None:
    machine.set(hours=10)
    paid(factories.subscription_make(), "1500")
    machine.set()
    assert Event.objects.filter(not_before__gt=clock.machine_now() + 9 * HOUR).exists()
    while sum(outbox.drain(shard) for shard in outbox.due_shards()):
        pass
    assert set(Event.objects.values_list("state", flat=True)) == {"done"}

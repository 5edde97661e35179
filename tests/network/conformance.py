"""What every router driver must do, asked of it through a simulator. ``docs`` list what an adapter leaves out.

A subclass names the driver's class and gives a ``router`` fixture with the simulator's router and a ``target``.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from ispbilling.kernel.crypto import Secret
from ispbilling.kernel.errors import Refused, Retryable
from network.convergence import WALLED_PROFILE, difference
from network.drivers.base import LineWanted, Plan, Profile, RouterDriver, Target

FAST = Profile("isp-10000k-5000k", 10_000, 5_000)
MARK = "isp:11111111-1111-7111-8111-111111111111:"


def wanted(number: int, *, username: str = "", profile: str = FAST.name, is_enabled: bool = True) -> LineWanted:
    return LineWanted(f"{MARK}{number}", username or f"user{number}", Secret(f"pw{number}"), profile, is_enabled)


def until(look: Callable[[], Any], limit_s: float = 20) -> Any:
    deadline = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


class DriverConformance:
    """Subclass per driver; ``router`` and ``target`` are fixtures of the subclass."""

    driver: ClassVar[type[RouterDriver]]

    @pytest.fixture
    def link(self, target: Target) -> Any:
        with self.driver.connect(target) as link:
            yield link

    def converge(self, link: RouterDriver, lines: list[LineWanted], unconfirmed: tuple[str, ...] = ()) -> Plan:
        """One run of convergence; returns what it wrote."""
        found = difference(profiles=[FAST, WALLED_PROFILE], lines=lines, unconfirmed=unconfirmed, state=link.read())
        assert link.apply(found.plan).refused == {}
        return found.plan

    def test_says_who_it_is(self, link: RouterDriver) -> None:
        facts = link.describe()
        assert facts.identity
        assert facts.version

    def test_a_wrong_password_is_refused(self, target: Target) -> None:
        with pytest.raises(Refused, match=r"router\.login"):
            self.driver.connect(replace(target, password=Secret("wrong")))

    def test_a_router_that_is_away_is_no_answer(self, target: Target) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        with pytest.raises(Retryable):
            self.driver.connect(replace(target, port=port))

    def test_a_router_that_never_answers_is_given_up(self, target: Target) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Retryable):
            self.driver.connect(replace(target, port=silent.getsockname()[1], use_tls=False, connect_timeout_s=0.3))

    def test_an_empty_router_reads_empty(self, link: RouterDriver) -> None:
        state = link.read()
        assert (state.lines, state.sessions) == ({}, [])

    def test_what_was_written_is_read(self, link: RouterDriver) -> None:
        self.converge(link, [wanted(1), wanted(2, profile=WALLED_PROFILE.name), wanted(3, is_enabled=False)])
        lines = link.read().lines
        assert [(line.profile, line.is_enabled) for _, line in sorted(lines.items())] == [
            (FAST.name, True),
            (WALLED_PROFILE.name, True),
            (FAST.name, False),
        ]
        assert lines["user1"].mark == f"{MARK}1"
        assert lines["user1"].password in (Secret("pw1"), None)

    def test_profiles_keep_their_rates_and_wall(self, link: RouterDriver) -> None:
        self.converge(link, [wanted(1)])
        profiles = link.read().profiles
        assert profiles[FAST.name].profile == FAST
        assert profiles[WALLED_PROFILE.name].profile == WALLED_PROFILE

    def test_a_second_run_changes_nothing(self, link: RouterDriver) -> None:
        lines = [wanted(number) for number in range(20)]
        self.converge(link, lines)
        assert not self.converge(link, lines)

    def test_many_lines_change_in_one_command(self, router: Any, link: RouterDriver) -> None:
        self.converge(link, [wanted(number) for number in range(300)])
        router.journal_clear()
        self.converge(link, [wanted(number, profile=WALLED_PROFILE.name) for number in range(300)])
        assert len(router.journal()) == 1
        assert {line.profile for line in link.read().lines.values()} == {WALLED_PROFILE.name}

    def test_one_bad_row_of_a_list_stops_no_other(self, router: Any, link: RouterDriver) -> None:
        self.converge(link, [wanted(number) for number in range(5)])
        plan = difference(
            profiles=[FAST, WALLED_PROFILE],
            lines=[wanted(number, profile=WALLED_PROFILE.name) for number in range(5)],
            unconfirmed=(),
            state=link.read(),
        ).plan
        router.by_hand("/ppp/secret/remove", "=numbers=user2")
        assert len(link.apply(plan).refused) == 1
        walled = [line.username for line in link.read().lines.values() if line.profile == WALLED_PROFILE.name]
        assert sorted(walled) == ["user0", "user1", "user3", "user4"]

    def test_a_new_password_is_written(self, link: RouterDriver) -> None:
        self.converge(link, [wanted(1)])
        self.converge(link, [replace(wanted(1), password=Secret("a=b c"))])
        assert link.read().lines["user1"].password in (Secret("a=b c"), None)

    def test_a_renamed_line_stays_one_row(self, link: RouterDriver) -> None:
        self.converge(link, [wanted(1)])
        self.converge(link, [replace(wanted(1), username="another")])
        assert list(link.read().lines) == ["another"]

    def test_lines_can_be_removed_twice(self, link: RouterDriver) -> None:
        self.converge(link, [wanted(1)])
        plan = Plan(lines_remove=(link.read().lines["user1"].id,))
        link.apply(plan)
        assert link.apply(plan).refused == {}
        assert link.read().lines == {}

    def test_rows_of_others_are_left_alone(self, router: Any, link: RouterDriver) -> None:
        router.by_hand("/ppp/secret/add", "=name=user1", "=password=theirs")
        found = difference(profiles=[FAST], lines=[wanted(1)], unconfirmed=(), state=link.read())
        link.apply(found.plan)
        assert found.foreign == {"user1"}
        assert [row["password"] for row in router.rows("/ppp/secret")] == ["theirs"]

    @pytest.mark.parametrize("name", ["jane wanjiku", "রহিম উদ্দিন", "0712345678", "254712345678", "a=b", "yes", "x,y"])
    def test_names_stay_what_they_are(self, link: RouterDriver, name: str) -> None:
        self.converge(link, [wanted(1, username=name)])
        assert list(link.read().lines) == [name]

    def test_a_blocked_line_loses_its_session_and_does_not_get_another(self, router: Any, link: RouterDriver) -> None:
        self.converge(link, [wanted(1)])
        router.cpe_add("user1", "pw1", "AA:BB:CC:00:00:01")
        until(router.truth)
        self.converge(link, [wanted(1, is_enabled=False)])
        assert router.truth() == []
        until(lambda: router.sessions.cpes["user1"].refusals)
        assert router.truth() == []

    def test_a_walled_line_dials_into_the_wall_and_out_again(self, router: Any, link: RouterDriver) -> None:
        self.converge(link, [wanted(1)])
        router.cpe_add("user1", "pw1", "AA:BB:CC:00:00:01")
        until(router.truth)
        self.converge(link, [wanted(1, profile=WALLED_PROFILE.name)])
        until(lambda: [one for one in router.truth() if WALLED_PROFILE.wall_list in one["address_lists"]])
        self.converge(link, [wanted(1)])
        until(lambda: [one for one in router.truth() if one["address_lists"] == []])

    def test_an_unconfirmed_wish_ends_a_session_that_may_be_older(self, router: Any, link: RouterDriver) -> None:
        """The run that wrote the profile died before it hung up: the row is right, the session is not."""
        self.converge(link, [wanted(1)])
        router.cpe_add("user1", "pw1", "AA:BB:CC:00:00:01")
        until(router.truth)
        router.by_hand("/ppp/secret/set", "=numbers=user1", f"=profile={WALLED_PROFILE.name}")
        self.converge(link, [wanted(1, profile=WALLED_PROFILE.name)], unconfirmed=("user1",))
        until(lambda: [one for one in router.truth() if WALLED_PROFILE.wall_list in one["address_lists"]])

    def test_bytes_grow_and_stand_the_right_way_round(self, router: Any, link: RouterDriver) -> None:
        self.converge(link, [wanted(1)])
        router.cpe_add("user1", "pw1", "AA:BB:CC:00:00:01", download_bps=8_000_000, upload_bps=800_000)
        until(router.truth)
        router.advance(10)
        [first] = link.sessions()
        router.advance(10)
        [later] = link.sessions()
        assert first.download_bytes
        assert first.upload_bytes
        assert later.download_bytes
        assert later.upload_bytes
        assert later.download_bytes - first.download_bytes >= 10_000_000
        assert later.download_bytes > 5 * later.upload_bytes
        assert (later.key, later.mac) == (first.key, "AA:BB:CC:00:00:01")

    def test_a_new_session_has_a_new_key(self, router: Any, link: RouterDriver) -> None:
        self.converge(link, [wanted(1)])
        router.cpe_add("user1", "pw1", "AA:BB:CC:00:00:01")
        until(router.truth)
        [first] = link.sessions()
        link.apply(Plan(disconnect=("user1",)))
        until(router.truth)
        [second] = link.sessions()
        assert first.key != second.key

    def test_a_cut_in_the_middle_is_no_answer(self, router: Any, link: RouterDriver) -> None:
        router.power(False)
        with pytest.raises(Retryable):
            link.read()
        router.power(True)

    def test_five_thousand_lines_are_read_in_one_go(self, router: Any, target: Target) -> None:
        with self.driver.connect(target) as link:
            self.converge(link, [wanted(number) for number in range(5_000)])
            assert len(link.read().lines) == 5_000
            assert not self.converge(link, [wanted(number) for number in range(5_000)])

"""What every router driver must do, asked of it at a router: our simulator, somebody else's, a real one.

A subclass names the driver's class and gives a ``site`` fixture. The suite speaks to the driver through a wire that
counts and breaks, and to the router by a hand of its own. What it makes there has names of its own and is removed
after each test, so that it may be run at a router others use.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from ispbilling.kernel.crypto import Secret
from ispbilling.kernel.errors import Refused, Retryable
from network.convergence import difference
from network.drivers.base import LineRewrite, LineWanted, Plan, Profile, RouterDriver, RouterState, Target
from tests.network.plain import Hand, Site
from tests.network.proxy import Wire
from tests.network.traces import MARK, RUN, everything, is_a_tests, sweep

FAST = Profile(f"{RUN}-fast", 10_000, 5_000)
WALLED = Profile(f"{RUN}-walled", 512, 256, wall_list=f"{RUN}-walled")
MANY = 1_000


def name_of(number: int) -> str:
    return f"{RUN}-user{number}"


def wanted(number: int, *, username: str = "", profile: str = FAST.name, is_enabled: bool = True) -> LineWanted:
    return LineWanted(f"{MARK}{number}", username or name_of(number), Secret(f"pw{number}"), profile, is_enabled)


def ours(state: RouterState) -> dict[str, Any]:
    """Our lines by name."""
    return {name: line for name, line in state.lines.items() if line.mark.startswith(MARK)}


def until(look: Callable[[], Any], limit_s: float = 20) -> Any:
    deadline = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


class DriverConformance:
    """Subclass per driver and kind of router; ``site`` is a fixture of the subclass."""

    driver: ClassVar[type[RouterDriver]]

    @pytest.fixture
    def hand(self, site: Site) -> Iterator[Hand]:
        hand = Hand(site)
        before = everything(hand)
        try:
            yield hand
        finally:
            sweep(hand)
            after = everything(hand)
            hand.close()
        assert {*before} ^ {*after} == set(), "a row that is not ours was touched"

    @pytest.fixture
    def wire(self, site: Site) -> Iterator[Wire]:
        wire = Wire(site)
        yield wire
        wire.close()

    @pytest.fixture
    def target(self, site: Site, wire: Wire, hand: Hand) -> Target:
        return Target("127.0.0.1", wire.port, site.user, Secret(site.password), answer_timeout_s=20)

    @pytest.fixture
    def link(self, target: Target) -> Iterator[RouterDriver]:
        with self.driver.connect(target) as link:
            yield link

    @pytest.fixture
    def subscribers(self, site: Site) -> Iterator[Any]:
        if site.subscribers is None:
            pytest.skip("nobody can be made to dial into this router from here")
        yield site.subscribers
        site.subscribers.hang_up_all()

    @pytest.fixture
    def takes_lists(self, hand: Hand) -> bool:
        """Whether this router obeys a command with several ids, tried by hand."""
        for number in range(2):
            hand.do("/ppp/secret/add", f"=name={RUN}-probe{number}", "=password=x")
        ids = [row[".id"] for row in hand.rows("/ppp/secret") if row["name"].startswith(f"{RUN}-probe")]
        hand.ask("/ppp/secret/remove", f"=.id={','.join(ids)}")
        left = [row for row in hand.rows("/ppp/secret") if row["name"].startswith(f"{RUN}-probe")]
        hand.change_all("/ppp/secret", [row[".id"] for row in left], "remove")
        return not left

    @pytest.fixture
    def is_quick(self, hand: Hand, takes_lists: bool) -> bool:
        """Whether it takes many things at once: lists of ids, and commands with tags."""
        return takes_lists and ".tag=a" in hand.ask("/system/resource/print", ".tag=a")[-1]

    @pytest.fixture
    def has_walls(self, hand: Hand) -> bool:
        """Whether a profile of this router can put people on an address list."""
        hand.ask("/ppp/profile/add", f"=name={RUN}-probe", "=address-list=probe")
        return any(row["name"] == f"{RUN}-probe" for row in hand.rows("/ppp/profile"))

    def converge(self, link: RouterDriver, lines: list[LineWanted], unconfirmed: tuple[str, ...] = ()) -> Plan:
        """One run of convergence; returns what it wrote. That this router has no walls is no refusal of a line."""
        found = difference(profiles=[FAST, WALLED], lines=lines, unconfirmed=unconfirmed, state=link.read())
        refused = link.apply(found.plan).refused
        assert set(refused) <= {WALLED.name}, refused
        return replace(found.plan, profiles_set=()) if refused else found.plan

    def dialled(self, link: RouterDriver, subscribers: Any, *lines: LineWanted) -> None:
        """These lines, with their people online."""
        self.converge(link, list(lines))
        for number, line in enumerate(lines):
            subscribers.dial(line.username, line.password.reveal(), f"AA:BB:CC:00:{number >> 8:02X}:{number & 255:02X}")
        until(lambda: len(subscribers.online()) == len(lines))

    # --- who and whether ----------------------------------------------------------------------------------------

    def test_says_who_it_is(self, link: RouterDriver) -> None:
        facts = link.describe()
        assert facts.version
        assert facts.uptime_s >= 0

    def test_a_wrong_password_lets_nobody_in_and_is_told(self, target: Target) -> None:
        with pytest.raises((Refused, Retryable), match=r"router\.login|password"):
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

    def test_a_router_without_our_rows_reads_none_of_ours(self, hand: Hand, link: RouterDriver) -> None:
        state = link.read()
        assert ours(state) == {}
        assert set(state.lines) >= {row["name"] for row in hand.rows("/ppp/secret") if not is_a_tests(row)}
        assert set(state.profiles) >= {row["name"] for row in hand.rows("/ppp/profile") if not is_a_tests(row)}

    # --- lines and profiles -------------------------------------------------------------------------------------

    def test_what_was_written_is_read(self, link: RouterDriver) -> None:
        self.converge(link, [wanted(1), wanted(2, profile=WALLED.name), wanted(3, is_enabled=False)])
        lines = ours(link.read())
        assert [(line.profile, line.is_enabled) for _, line in sorted(lines.items())] == [
            (FAST.name, True),
            (WALLED.name, True),
            (FAST.name, False),
        ]
        assert lines[name_of(1)].mark == f"{MARK}1"
        assert lines[name_of(1)].password in (Secret("pw1"), None)

    def test_what_was_written_stands_on_the_router(self, hand: Hand, link: RouterDriver) -> None:
        self.converge(link, [wanted(1, is_enabled=False)])
        row = hand.row("/ppp/secret", name_of(1))
        assert (row["profile"], row["comment"], row.get("password", "pw1")) == (FAST.name, f"{MARK}1", "pw1")
        assert row["disabled"] in ("true", "yes")
        assert hand.row("/ppp/profile", FAST.name)["rate-limit"] in ("5000k/10000k", "5M/10M", "5000000/10000000")

    def test_profiles_keep_their_rates_and_wall(self, link: RouterDriver, has_walls: bool) -> None:
        self.converge(link, [wanted(1)])
        profiles = link.read().profiles
        assert profiles[FAST.name].profile == FAST
        assert profiles[WALLED.name].profile == (WALLED if has_walls else replace(WALLED, wall_list=""))

    def test_a_wall_the_router_cannot_have_is_told(self, link: RouterDriver, has_walls: bool) -> None:
        found = difference(profiles=[WALLED], lines=[], unconfirmed=(), state=link.read())
        assert list(link.apply(found.plan).refused) == ([] if has_walls else [WALLED.name])

    def test_a_profile_changed_by_hand_is_put_right(self, hand: Hand, link: RouterDriver) -> None:
        self.converge(link, [wanted(1)])
        hand.change("/ppp/profile", FAST.name, "set", "=rate-limit=1M/1M")
        self.converge(link, [wanted(1)])
        assert link.read().profiles[FAST.name].profile == FAST

    def test_a_second_run_changes_nothing(self, link: RouterDriver) -> None:
        lines = [wanted(number) for number in range(20)]
        self.converge(link, lines)
        assert not self.converge(link, lines)

    def test_many_lines_change_in_one_command(self, wire: Wire, link: RouterDriver, takes_lists: bool) -> None:
        self.converge(link, [wanted(number) for number in range(300)])
        wire.forget()
        self.converge(link, [wanted(number, profile=WALLED.name) for number in range(300)])
        assert {line.profile for line in ours(link.read()).values()} == {WALLED.name}
        assert wire.count("/ppp/secret/set") == 1 or not takes_lists

    def test_one_bad_row_of_a_list_stops_no_other(self, hand: Hand, link: RouterDriver) -> None:
        self.converge(link, [wanted(number) for number in range(5)])
        walled = [wanted(number, profile=WALLED.name) for number in range(5)]
        plan = difference(profiles=[FAST, WALLED], lines=walled, unconfirmed=(), state=link.read()).plan
        hand.change("/ppp/secret", name_of(2), "remove")
        assert len(set(link.apply(plan).refused) - {WALLED.name}) == 1
        found = [line.username for line in ours(link.read()).values() if line.profile == WALLED.name]
        assert sorted(found) == [name_of(number) for number in (0, 1, 3, 4)]

    def test_a_row_that_is_there_already_is_not_refused(self, link: RouterDriver) -> None:
        """The connection broke after the router had obeyed: the same is wanted again."""
        plan = Plan(profiles_add=(FAST,), lines_add=(wanted(1),))
        assert link.apply(plan).refused == {}
        assert link.apply(plan).refused == {}
        assert list(ours(link.read())) == [name_of(1)]

    def test_a_new_password_is_written(self, hand: Hand, link: RouterDriver) -> None:
        self.converge(link, [wanted(1)])
        [seen] = ours(link.read()).values()
        link.apply(Plan(lines_rewrite=(LineRewrite(seen.id, replace(wanted(1), password=Secret("a=b c"))),)))
        assert link.read().lines[name_of(1)].password in (Secret("a=b c"), None)
        assert hand.row("/ppp/secret", name_of(1)).get("password", "a=b c") == "a=b c"

    def test_a_renamed_line_stays_one_row(self, link: RouterDriver) -> None:
        self.converge(link, [wanted(1)])
        self.converge(link, [replace(wanted(1), username=f"{RUN}-another")])
        assert list(ours(link.read())) == [f"{RUN}-another"]

    def test_a_name_that_became_free_can_be_given_at_once(self, link: RouterDriver) -> None:
        self.converge(link, [wanted(1)])
        self.converge(link, [replace(wanted(1), username=f"{RUN}-another"), wanted(2, username=name_of(1))])
        assert {name: line.mark for name, line in ours(link.read()).items()} == {
            f"{RUN}-another": f"{MARK}1",
            name_of(1): f"{MARK}2",
        }

    def test_lines_can_be_removed_twice(self, link: RouterDriver) -> None:
        self.converge(link, [wanted(number) for number in range(3)])
        plan = Plan(lines_remove=tuple(line.id for line in ours(link.read()).values()))
        link.apply(plan)
        assert link.apply(plan).refused == {}
        assert ours(link.read()) == {}

    def test_rows_of_others_are_left_alone(self, hand: Hand, link: RouterDriver) -> None:
        hand.do("/ppp/secret/add", f"=name={name_of(1)}", "=password=theirs", "=comment=Mrs Achieng")
        found = difference(profiles=[FAST], lines=[wanted(1)], unconfirmed=(), state=link.read())
        link.apply(found.plan)
        assert found.foreign == {name_of(1)}
        row = hand.row("/ppp/secret", name_of(1))
        assert (row["comment"], row.get("password", "theirs")) == ("Mrs Achieng", "theirs")

    @pytest.mark.parametrize("name", ["jane wanjiku", "রহিম উদ্দিন", "0712345678", "254712345678", "a=b", "yes", "x,y"])
    def test_names_stay_what_they_are(self, hand: Hand, link: RouterDriver, name: str) -> None:
        if any(row["name"] == name for row in hand.rows("/ppp/secret")):
            pytest.skip("this router has a line of that name, which is not ours")
        self.converge(link, [wanted(1, username=name)])
        assert list(ours(link.read())) == [name]
        assert not self.converge(link, [wanted(1, username=name)])

    # --- sessions -----------------------------------------------------------------------------------------------

    def test_a_blocked_line_loses_its_session_and_gets_no_other(self, subscribers: Any, link: RouterDriver) -> None:
        self.dialled(link, subscribers, wanted(1))
        self.converge(link, [wanted(1, is_enabled=False)])
        assert subscribers.online() == []
        until(lambda: subscribers.refused(name_of(1)))
        assert subscribers.online() == []

    def test_a_walled_line_dials_into_the_wall_and_out_again(self, subscribers: Any, link: RouterDriver) -> None:
        self.dialled(link, subscribers, wanted(1))
        self.converge(link, [wanted(1, profile=WALLED.name)])
        until(lambda: [one for one in subscribers.online() if one["profile"] == WALLED.name])
        self.converge(link, [wanted(1)])
        until(lambda: [one for one in subscribers.online() if one["address_lists"] == []])

    def test_an_unconfirmed_wish_ends_a_session_that_may_be_older(
        self, hand: Hand, subscribers: Any, link: RouterDriver
    ) -> None:
        """The run that wrote the profile died before it hung up: the row is right, the session is not."""
        self.dialled(link, subscribers, wanted(1))
        hand.change("/ppp/secret", name_of(1), "set", f"=profile={WALLED.name}")
        self.converge(link, [wanted(1, profile=WALLED.name)], unconfirmed=(name_of(1),))
        until(lambda: [one for one in subscribers.online() if one["profile"] == WALLED.name])

    def test_bytes_grow_and_stand_the_right_way_round(self, hand: Hand, subscribers: Any, link: RouterDriver) -> None:
        self.dialled(link, subscribers, wanted(1))
        subscribers.let_pass(10)
        [first] = [one for one in link.sessions() if one.username == name_of(1)]
        subscribers.let_pass(10)
        [later] = [one for one in link.sessions() if one.username == name_of(1)]
        assert (later.key, later.mac) == (first.key, "AA:BB:CC:00:00:00")
        if not any("rx-byte" in row for row in hand.rows("/interface")):
            assert (first.download_bytes, later.upload_bytes) == (None, None)  # it does not tell
            return
        assert None not in (first.download_bytes, first.upload_bytes, later.download_bytes, later.upload_bytes)
        assert later.download_bytes - first.download_bytes >= 2_000_000
        assert later.download_bytes > 5 * later.upload_bytes

    def test_a_new_session_has_a_new_key(self, subscribers: Any, link: RouterDriver) -> None:
        self.dialled(link, subscribers, wanted(1))
        [first] = [one for one in link.sessions() if one.username == name_of(1)]
        link.apply(Plan(disconnect=(name_of(1),)))
        until(subscribers.online)
        [second] = [one for one in link.sessions() if one.username == name_of(1)]
        assert first.key != second.key

    def test_a_thousand_are_cut_off_in_few_turns(
        self, wire: Wire, target: Target, subscribers: Any, is_quick: bool
    ) -> None:
        """A whole contact: in, who are you, read, write, hang up, read again, count."""
        lines = [wanted(number) for number in range(MANY)]
        with self.driver.connect(target) as link:
            self.dialled(link, subscribers, *lines)
        wire.forget()
        with self.driver.connect(target) as link:
            link.describe()
            self.converge(link, [replace(line, is_enabled=False) for line in lines])
            assert not any(line.is_enabled for line in ours(link.read()).values())
            assert [one for one in link.sessions() if one.username.startswith(RUN)] == []
        assert subscribers.online() == []
        assert wire.turns <= 15 or not is_quick

    # --- a line that breaks -------------------------------------------------------------------------------------

    @pytest.mark.parametrize("after_bytes", [0, 1, 60])
    def test_an_answer_cut_in_the_middle_is_no_answer(self, wire: Wire, link: RouterDriver, after_bytes: int) -> None:
        link.describe()
        wire.cut_answer(after_bytes)
        with pytest.raises(Retryable):
            link.read()

    def test_an_answer_in_pieces_is_an_answer(self, wire: Wire, link: RouterDriver) -> None:
        self.converge(link, [wanted(number) for number in range(3)])
        wire.chop(1)
        assert len(ours(link.read())) == 3

    @pytest.mark.parametrize("is_heard", [True, False])
    @pytest.mark.parametrize(
        ("command", "number"), [("/ppp/secret/add", 4), ("/ppp/secret/set", 1), ("/ppp/active/remove", 1)]
    )
    def test_what_was_cut_off_is_finished_by_the_next_run(
        self, wire: Wire, target: Target, site: Site, command: str, number: int, is_heard: bool
    ) -> None:
        before = [wanted(one) for one in range(8)]
        after = [wanted(one, profile=WALLED.name) for one in range(8)] + [wanted(one) for one in range(10, 18)]
        with self.driver.connect(target) as link:
            if site.subscribers is None:
                self.converge(link, before)
            else:
                self.dialled(link, site.subscribers, *before)
        wire.cut_at(command, number, is_heard=is_heard)
        names = tuple(line.username for line in before)
        with self.driver.connect(target) as link:
            if site.subscribers is None and command == "/ppp/active/remove":
                self.converge(link, after)
            else:
                with pytest.raises(Retryable):
                    self.converge(link, after)
        with self.driver.connect(target) as link:
            self.converge(link, after, unconfirmed=names)
            assert {name: line.profile for name, line in ours(link.read()).items()} == {
                line.username: line.profile for line in after
            }
            assert not self.converge(link, after)
        if site.subscribers is not None:
            until(lambda: {one["profile"] for one in site.subscribers.online()} == {WALLED.name})
            site.subscribers.hang_up_all()

    def test_five_thousand_lines_are_read_in_one_go(self, target: Target) -> None:
        with self.driver.connect(target) as link:
            self.converge(link, [wanted(number) for number in range(5_000)])
            assert len(ours(link.read())) == 5_000
            assert not self.converge(link, [wanted(number) for number in range(5_000)])

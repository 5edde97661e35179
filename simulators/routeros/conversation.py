"""One connection to the router: log-in, then commands, those with tags side by side."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import commands, faults, traps
from .commands import WRITES, Answer, Command, Stopped
from .faults import Fault
from .journals import Connection, JournalEntry, Origin
from .outlet import Outlet
from .visit import Visit
from .wire import Decoder, WireError, sentence_encode

if TYPE_CHECKING:
    from .machine import Machine

EMPTY_SINCE = (7, 18)

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Run:
    """One command at work. ``hangs_in``: the fault that holds it and lets it go when the client gives up."""

    command: Command
    delay_ms: float
    task: asyncio.Task[None] | None = None
    is_begun: bool = False
    entry: JournalEntry | None = None
    hangs_in: Fault | None = None


@dataclass(frozen=True)
class Arrived:
    """A sentence under way: ``due`` is the loop's time at which it is heard; without words the peer's end."""

    due: float
    delay_ms: float
    words: list[str] | None


class Conversation:
    """``listen`` hears; a worker of its own obeys, in order, so that the end of the peer is noticed at any time.

    What the peer sent before it hung up is carried out as far as it writes; what hangs in a fault then is not.
    When the router itself ends the connection, what it had not begun is not done.
    """

    def __init__(
        self, router: Machine, writer: asyncio.StreamWriter, connection: Connection, slow: Fault | None
    ) -> None:
        self.router = router
        self.connection = connection
        self.settings = router.device.settings
        self.outlet = Outlet(writer, router.faults, connection.number, self._cut_by)
        self.outlet.slow = slow
        self.user = ""
        self.is_peer_gone = False
        self._is_over = False
        self._challenge = b""
        self._writer = writer
        self._inbox: asyncio.Queue[Arrived] = asyncio.Queue()
        self._runs: set[Run] = set()
        self._worker: asyncio.Task[None] | None = None

    # --- hearing ----------------------------------------------------------------------------------------------

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Until the connection is over."""
        self._worker = asyncio.create_task(self._work())
        decoder = Decoder()
        try:
            while data := await reader.read(65_536):
                for sentence in decoder.feed(data):
                    self._receive(sentence)
        except WireError:
            self.hang_up("out of step", is_polite=True)  # a router hangs up without a word
        except OSError:
            log.debug("connection %d was reset", self.connection.number)
        if not self._is_over:
            await self._peer_went()

    def _receive(self, words: list[str]) -> None:
        delay_ms = self.router.way.delay_ms()
        due = asyncio.get_running_loop().time() + delay_ms / 1000 if delay_ms else 0.0
        self._inbox.put_nowait(Arrived(due, delay_ms, words))

    async def _peer_went(self) -> None:
        self.is_peer_gone = True
        self.connection.close("peer")
        if any(run.hangs_in is not None for run in self._runs):
            self.hang_up("peer")
            return
        for run in self._runs:
            if run.command.verb not in WRITES and run.task is not None:
                run.task.cancel()
        self._inbox.put_nowait(Arrived(0.0, 0.0, None))
        if self._worker is not None:
            await asyncio.wait([self._worker])
        if tasks := [run.task for run in self._runs if run.task is not None]:
            await asyncio.wait(tasks)
        self.hang_up("peer")

    def hang_up(self, end: str, *, is_polite: bool = False, is_reset: bool = False) -> None:
        """End the connection from the router's side, after what was sent is out."""
        if self._stop():
            self.outlet.end(is_polite=is_polite, is_reset=is_reset, on_end=lambda: self.connection.close(end))

    def power_fails(self, end: str) -> None:
        """End the connection at once."""
        self._stop()
        self.connection.close(end)
        self.outlet.abort()

    def _stop(self) -> bool:
        """Nothing more is heard or done, save by the task that calls this. False when that was so already."""
        if self._is_over:
            return False
        self._is_over = True
        for task in (self._worker, *(run.task for run in self._runs)):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
        return True

    def _cut_by(self, fault: Fault) -> None:
        self.hang_up(f"{fault.kind} #{fault.number}", is_reset=fault["reset"])

    # --- obeying ----------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while not self._is_over:
                arrived = await self._inbox.get()
                if arrived.due and (wait_s := arrived.due - loop.time()) > 0:
                    await asyncio.sleep(wait_s)
                if arrived.words is None:
                    return
                await self._obey(arrived.words, arrived.delay_ms)
                with contextlib.suppress(ConnectionError):
                    await self._writer.drain()
        except Stopped:
            return
        except Exception:
            log.exception("connection %d failed", self.connection.number)
            self.hang_up("a fault of the simulator")

    async def _obey(self, sentence: list[str], delay_ms: float) -> None:
        command = Command.parse(sentence)
        run = Run(command, delay_ms)
        if sentence[0] == "/quit":
            self._fatal("session terminated on request", "quit")
        elif sentence[0] == "/login":
            self._runs.add(run)
            try:
                await self._sign_in(run)
            finally:
                self._runs.discard(run)
        elif not self.user:
            self._fatal("not logged in", "not logged in")
        elif sentence[0] == "/cancel":
            self._cancel(command)
        else:
            run.task = asyncio.create_task(self._run(run))
            self._runs.add(run)
            run.task.add_done_callback(lambda _: self._runs.discard(run))
            if command.tag is None:
                await asyncio.wait([run.task])  # without a tag the next command waits

    async def _run(self, run: Run) -> None:
        command = run.command
        run.is_begun = True
        try:
            visit = self._visit(run)
            answer = await self._carry_out(run, visit)
            await self._answer(run, answer, visit)
        except traps.Trap as trap:
            self._trap(command.tag, trap)
        except Stopped:
            return
        except asyncio.CancelledError:
            self._trap(command.tag, traps.interrupted())
            raise
        except Exception:
            log.exception("%s failed", command.name)
            self.hang_up("a fault of the simulator")

    def _visit(self, run: Run) -> Visit | None:
        """What is armed for the command, None for nothing."""
        is_list = "," in (run.command.references or "")
        armed = self.router.faults.at(run.command.name, is_list=is_list)
        return Visit(self, run, armed) if armed else None

    async def _carry_out(self, run: Run, visit: Visit | None) -> Answer:
        """One row after the other, each in the router's turn."""
        origin = Origin("api", self.connection.number, self.user, run.delay_ms)
        steps = commands.carry_out(self.router.device, run.command, origin)
        processor = self.router.processor
        done = 0
        try:
            while True:
                if processor.takes_time:
                    async with processor.turn:
                        step = next(steps)
                        if isinstance(step, commands.Worked):
                            await processor.spend(step.items)
                else:
                    step = next(steps)
                if isinstance(step, commands.Emit):
                    await self._emit(run, step)
                elif isinstance(step, commands.Began):
                    run.entry = step.entry
                    if visit is not None:
                        await visit.reach(faults.BEFORE)
                elif isinstance(step, Answer):
                    if visit is not None:
                        await visit.reach(faults.APPLIED)
                    return step
                elif visit is not None and run.entry is not None:
                    done += step.items
                    await visit.reach(faults.APPLYING, done, run.entry.wanted)
        except BaseException as error:
            steps.throw(error)  # so that the journal knows
            raise

    async def _emit(self, run: Run, step: commands.Emit) -> None:
        if self.is_peer_gone:
            raise Stopped("peer")
        self.outlet.send([self._encode("!re", run.command.tag, row) for row in step.rows])
        await asyncio.sleep(step.pause_s)

    async def _answer(self, run: Run, answer: Answer, visit: Visit | None) -> None:
        tag = run.command.tag
        done = {} if answer.ret is None else {"ret": answer.ret}
        is_empty = answer.is_print and not answer.rows and self.settings.version_number >= EMPTY_SINCE
        ends: list[tuple[str, dict[str, str]]] = [("!empty", {})] if is_empty else []
        ends.append(("!done", done))
        if visit is None:
            sentences = [self._encode("!re", tag, row) for row in answer.rows]
            self.outlet.send([*sentences, *(self._encode(kind, tag, values) for kind, values in ends)])
            return
        for number, (kind, values) in enumerate([*(("!re", row) for row in answer.rows), *ends]):
            if number <= len(answer.rows):
                await visit.reach(faults.ANSWER, number, len(answer.rows), self._encode(kind, tag, values))
            sentence = self._encode(kind, tag if visit.has_tag else None, values)
            self.outlet.send([sentence] * visit.copies, visit.slow)

    # --- log-in and cancel ------------------------------------------------------------------------------------

    async def _sign_in(self, run: Run) -> None:
        tag = run.command.tag
        visit = self._visit(run)
        try:
            if visit is not None:
                await visit.reach(faults.BEFORE)
            challenge = self._check_password(run.command.attributes)
            if challenge is None:
                if visit is not None:
                    await visit.reach(faults.CHECKED)
                self.user = run.command.attributes.get("name", "")
                self.connection.log_in(self.user)
                if visit is not None:
                    await visit.reach(faults.APPLIED)
            await self._answer(run, Answer(ret=challenge), visit)
        except traps.Trap as trap:
            self._trap(tag, trap)

    def _check_password(self, given: dict[str, str]) -> str | None:
        """None when it is right; the old way of logging in begins with a challenge. Raises Trap."""
        name = given.get("name", "")
        wanted = self.settings.users.get(name)
        if self.settings.login == "old":
            if "response" not in given:
                self._challenge = os.urandom(16)
                return self._challenge.hex()
            digest = hashlib.md5(b"\0" + (wanted or "").encode() + self._challenge, usedforsecurity=False).hexdigest()
            is_right = wanted is not None and bool(self._challenge) and given["response"] == f"00{digest}"
        else:
            is_right = wanted is not None and given.get("password", "") == wanted
        if not is_right:
            raise traps.Trap(4, faults.BAD_LOGIN)
        return None

    def _cancel(self, command: Command) -> None:
        wanted = command.attributes.get("tag")
        for run in list(self._runs):
            if run.task is not None and (wanted is None or run.command.tag == wanted):
                run.task.cancel()
                if not run.is_begun:
                    self._trap(run.command.tag, traps.interrupted())
        self.outlet.send([self._encode("!done", command.tag, {})])

    # --- speaking ---------------------------------------------------------------------------------------------

    def say(self, *words: str) -> None:
        self.outlet.send([sentence_encode(words)])

    def _fatal(self, text: str, end: str) -> None:
        self.say("!fatal", text)
        self.hang_up(end, is_polite=True)

    def _trap(self, tag: str | None, trap: traps.Trap) -> None:
        values = {"category": str(trap.category), "message": trap.message}
        self.outlet.send([self._encode("!trap", tag, values), self._encode("!done", tag, {})])

    @staticmethod
    def _encode(kind: str, tag: str | None, values: dict[str, str]) -> bytes:
        words = [kind, *(f"={name}={value}" for name, value in values.items())]
        if tag is not None:
            words.append(f".tag={tag}")
        return sentence_encode(words)

"""One command on its way past the faults that are armed for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from .commands import Stopped
from .faults import Fault
from .traps import Trap
from .wire import sentence_encode

if TYPE_CHECKING:
    from .conversation import Conversation, Run

NONSENSE = bytes(range(0xF8, 0x100)) * 4  # every one of these is reserved for control
ABSURD_LENGTH = b"\xf0\xff\xff\xff\xff!re"
STRANGER = ".tag=nobody-asked"


class Visit:
    """Makes the faults of one command happen at their moments, and keeps how its answer is spoilt from then on."""

    def __init__(self, conversation: Conversation, run: Run, armed: Sequence[Fault]) -> None:
        self.conversation = conversation
        self.run = run
        self.copies = 1
        self.has_tag = True
        self.slow: Fault | None = None
        self._armed = armed

    async def reach(self, when: str, done: int = 0, of: int = 0, upcoming: bytes = b"") -> None:
        """A moment of the command, ``done`` rows of ``of`` being written or sent; ``upcoming`` is the sentence that
        would be sent next. Raises Trap for a refusal, Stopped when the conversation is over."""
        for fault in self._armed:
            if fault.is_reached(when, done, of) and self._is_exceeded(fault) and fault.take():
                await _ACTIONS[fault.kind](self, fault, upcoming)

    def _is_exceeded(self, fault: Fault) -> bool:
        if fault.kind != "session_limit":
            return True
        open_now = self.conversation.router.connections.open_logins(fault["user"])
        return open_now >= int(fault["limit"])


async def _cut(visit: Visit, fault: Fault, upcoming: bytes) -> None:
    if fault["mid_sentence"]:
        visit.conversation.outlet.send([upcoming[: len(upcoming) // 2]], visit.slow)
    _end(visit, fault, is_reset=fault["reset"])


async def _trap(visit: Visit, fault: Fault, upcoming: bytes) -> None:
    raise Trap(fault["category"], fault["text"])


async def _fatal(visit: Visit, fault: Fault, upcoming: bytes) -> None:
    visit.conversation.say("!fatal", fault["text"])
    _end(visit, fault, is_polite=True)


async def _session_limit(visit: Visit, fault: Fault, upcoming: bytes) -> None:
    if fault["answer"] == "trap":
        raise Trap(4, fault["text"])
    if fault["answer"] == "fatal":
        visit.conversation.say("!fatal", fault["text"])
    _end(visit, fault, is_polite=True)


async def _hang(visit: Visit, fault: Fault, upcoming: bytes) -> None:
    if not fault["outlives"]:
        if visit.conversation.is_peer_gone:
            raise Stopped(_reason(fault))
        visit.run.hangs_in = fault
    try:
        await fault.hold()
    finally:
        visit.run.hangs_in = None


async def _slow(visit: Visit, fault: Fault, upcoming: bytes) -> None:
    visit.slow = fault


async def _garbage(visit: Visit, fault: Fault, upcoming: bytes) -> None:
    what, send = fault["what"], visit.conversation.outlet.send
    if what == "bytes":
        send([NONSENSE], visit.slow)
    elif what == "length":
        send([ABSURD_LENGTH], visit.slow)
    elif what == "unknown_tag":
        send([sentence_encode(["!re", "=.id=*DEAD", "=name=ghost", STRANGER])], visit.slow)
        send([sentence_encode(["!done", STRANGER])], visit.slow)
    elif what == "unknown_reply":
        tags = [] if visit.run.command.tag is None else [f".tag={visit.run.command.tag}"]
        send([sentence_encode(["!news", "=message=nothing", *tags])], visit.slow)
    elif what == "duplicate":
        visit.copies = 2
    else:
        visit.has_tag = False


async def _reboot(visit: Visit, fault: Fault, upcoming: bytes) -> None:
    visit.conversation.router.restart(fault["away_s"], fault["lose_writes"])
    raise Stopped(_reason(fault))


async def _port_closed(visit: Visit, fault: Fault, upcoming: bytes) -> None:
    visit.conversation.router.close_port(fault)


async def _by_hand(visit: Visit, fault: Fault, upcoming: bytes) -> None:
    visit.conversation.router.hand(fault["sentence"])


_ACTIONS: dict[str, Callable[[Visit, Fault, bytes], Awaitable[None]]] = {
    "cut": _cut,
    "trap": _trap,
    "fatal": _fatal,
    "login_refused": _trap,
    "session_limit": _session_limit,
    "hang": _hang,
    "slow": _slow,
    "garbage": _garbage,
    "reboot": _reboot,
    "port_closed": _port_closed,
    "by_hand": _by_hand,
}


def _end(visit: Visit, fault: Fault, *, is_polite: bool = False, is_reset: bool = False) -> None:
    visit.conversation.hang_up(_reason(fault), is_polite=is_polite, is_reset=is_reset)
    raise Stopped(_reason(fault))


def _reason(fault: Fault) -> str:
    return f"{fault.kind} #{fault.number}"

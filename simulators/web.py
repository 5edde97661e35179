"""What the HTTP simulators share: a threaded server on loopback, and posting of callbacks to loopback only."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qs, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


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
    """One answer. ``hang_s``: wait so long and then close without a word."""

    status: int
    body: str
    content_type: str = "application/json"
    hang_s: float = 0


class WebSimulator:
    """A server whose subclasses answer requests. ``start`` may be followed by ``url``."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        simulator = self
        self.stopping = threading.Event()

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
                answer = simulator.answer(asked)
                if answer.hang_s:
                    simulator.stopping.wait(answer.hang_s)
                    self.close_connection = True
                    return
                raw = answer.body.encode()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet: the journal is what is looked at."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
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
        self._server.shutdown()
        self._server.server_close()

    @abstractmethod
    def answer(self, asked: Asked) -> Answer:
        """Serve one request; called from many threads."""


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
    except (URLError, OSError):
        return 0

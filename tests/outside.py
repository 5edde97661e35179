"""Small servers of tests: where callbacks arrive, one that answers everything alike, and an address where nobody is."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests


def until(look: Callable[[], Any], limit_s: float = 20) -> Any:
    """What ``look`` finds, as soon as it finds something."""
    deadline = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


def is_cut(ask: Callable[[], requests.Response]) -> bool:
    """Whether the connection ended without a whole answer."""
    try:
        ask()
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return True
    return False


@dataclass(frozen=True)
class Heard:
    """One request that arrived; the names of its headers in small letters."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class Receiver:
    """Where callbacks and reports arrive: ``heard`` has them in order; all are answered with ``status``."""

    def __init__(self) -> None:
        self.status = 200
        self.heard: list[Heard] = []
        self.read = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.heard.append(Heard(self.path, headers, body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = _server(Handler)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.path = f"/hooks/p/{'a' * 32}/{'b' * 32}"
        self.url = self.base + self.path

    def next(self) -> Heard:
        """The next request nobody took yet."""
        found = until(lambda: self.heard[self.read : self.read + 1])
        self.read += 1
        heard: Heard = found[0]
        return heard

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Listening(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def _server(handler: type[BaseHTTPRequestHandler]) -> _Listening:
    server = _Listening(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


class Parrot:
    """A server that answers everything with ``body`` and ``status``, which may be changed while it runs."""

    def __init__(self, body: str = "", status: int = 200) -> None:
        self.body, self.status = body, status
        parrot = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                raw = parrot.body.encode("utf-8", "surrogatepass")
                self.send_response(parrot.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = _server(Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Parrot:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def nobody() -> Iterator[str]:
    """An address of this machine where connections are refused."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unused.getsockname()[1]}"

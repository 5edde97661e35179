"""A tiny JSON-over-HTTP server to steer a simulator while it runs.

POST /<name> with a JSON object calls the handler of that name and answers its JSON object with 200.
A KeyError, ValueError, or a body that is no JSON object answers 400 ``{"error": text}``; an unknown name
answers 404; any other failure of a handler answers 500. GET /healthz answers 200 ``{"ok": true}``.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Handler = Callable[[dict[str, Any]], dict[str, Any]]

log = logging.getLogger(__name__)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handlers: Mapping[str, Handler]) -> None:
        super().__init__(address, _Request)
        self.handlers = handlers


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._answer(200, {"ok": True})
        else:
            self._answer(404, {"error": f"nothing at {self.path}"})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        handler = self.server.handlers.get(self.path.split("?", 1)[0].strip("/"))
        if handler is None:
            self._answer(404, {"error": f"no handler at {self.path}"})
            return
        try:
            body = json.loads(raw) if raw else {}
            if not isinstance(body, dict):
                raise ValueError("the body must be a JSON object")
            answer = handler(body)
        except KeyError as error:
            self._answer(400, {"error": str(error.args[0]) if error.args else "missing key"})
        except ValueError as error:
            self._answer(400, {"error": str(error)})
        except Exception as error:  # the caller of a broken handler must see why, not a cut connection
            log.exception("control handler %s failed", self.path)
            self._answer(500, {"error": f"{type(error).__name__}: {error}"})
        else:
            self._answer(200, answer)

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)

    def _answer(self, status: int, body: Mapping[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class ControlServer:
    """Serves ``handlers`` from its own threads; port 0 takes a free port, known once constructed."""

    def __init__(self, handlers: Mapping[str, Handler], host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = _Server((host, port), handlers)
        self._thread: threading.Thread | None = None
        self.host = host
        self.port: int = self._server.server_address[1]

    @property
    def url(self) -> str:
        """Base address without a closing slash, for instance ``http://127.0.0.1:40123``."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> ControlServer:
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="control", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(timeout=10)
            self._thread = None
        self._server.server_close()

"""Every call out goes through here: time-outs, errors by kind, one log line without secrets.

A call is tried once. Whether it may be repeated is known only to the caller, who repeats it under its own idempotency
key or asks for the status instead.
"""

from __future__ import annotations

import json as jsonlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog
import urllib3
from requests.adapters import HTTPAdapter

from ispbilling.kernel.errors import Retryable

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 30.0
MAX_ANSWER_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``text`` is decoded as UTF-8 with replacement: providers send what they like."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        """The parsed body. Raises Retryable ``http.garbage``: an unreadable answer tells nothing about the outcome."""
        try:
            return jsonlib.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise Retryable("http.garbage", f"HTTP {self.status}, not JSON") from error

    def json_object(self) -> dict[str, Any]:
        """As ``json``, and a dictionary for certain."""
        body = self.json()
        if not isinstance(body, dict):
            raise Retryable("http.garbage", f"HTTP {self.status}, not a JSON object")
        return body


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    json: Any = None,
    form: Mapping[str, str] | None = None,
    basic: tuple[str, str] | None = None,
    connect_timeout_s: float = CONNECT_TIMEOUT_S,
    read_timeout_s: float = READ_TIMEOUT_S,
) -> Answer:
    """One HTTP exchange, redirects not followed.

    Raises Retryable: ``http.unreachable`` with ``sent=False`` when no connection came about, ``http.timeout`` or
    ``http.broken`` when the request may have arrived. Every HTTP status is an answer and is returned.
    """
    host = urlsplit(url).netloc.rpartition("@")[2]
    started = time.monotonic()
    outcome = "?"
    try:
        with requests.Session() as session:
            session.trust_env = False
            session.mount("http://", HTTPAdapter(max_retries=0))
            session.mount("https://", HTTPAdapter(max_retries=0))
            with session.request(
                method,
                url,
                headers=dict(headers or {}),
                params=params,
                json=json,
                data=form,
                auth=basic,
                timeout=(connect_timeout_s, read_timeout_s),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = response.raw.read(MAX_ANSWER_BYTES + 1, decode_content=True)
                outcome = str(response.status_code)
                if len(body) > MAX_ANSWER_BYTES:
                    raise Retryable("http.garbage", "the answer is larger than 1 MB")
                return Answer(response.status_code, dict(response.headers), body.decode("utf-8", "replace"))
    except (requests.ConnectTimeout, requests.exceptions.SSLError) as error:
        outcome = "unreachable"
        raise Retryable("http.unreachable", type(error).__name__, sent=False) from error
    except requests.Timeout as error:
        outcome = "timeout"
        raise Retryable("http.timeout", type(error).__name__) from error
    except requests.ConnectionError as error:
        outcome = "unreachable" if _never_connected(error) else "broken"
        raise Retryable(f"http.{outcome}", type(error).__name__, sent=outcome == "broken") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        # urllib3 raises its own where the body breaks off: an answer that began is no answer yet.
        outcome = "broken"
        raise Retryable("http.broken", type(error).__name__) from error
    finally:
        log.info(
            "http.call",
            method=method,
            host=host,
            path=urlsplit(url).path,
            outcome=outcome,
            ms=round((time.monotonic() - started) * 1000),
        )


def _never_connected(error: requests.ConnectionError) -> bool:
    """Whether the connection was refused before a byte was sent (urllib3 hides it two levels down)."""
    text = repr(error)
    return "NewConnectionError" in text or "NameResolutionError" in text

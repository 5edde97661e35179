"""Structured logs: one JSON line each, with what must stay secret blotted out."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_NAMES = re.compile(
    r"pass(word|key)?|secret|token|authorization|api_?key|credential|otp|one_time", re.IGNORECASE
)
#: Who knows such a path may come in: post to a hook, begin to work, choose a password.
_KEY_PATH = re.compile(r"(/(?:hooks/[a-z]+|account/invitation|account/password/reset/key)/)[^\s\"']+")
_PHONE = re.compile(r"\+?\b(254|880|63)\d{9,10}\b")


def redact(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide values whose names smell of secrets, and all but the ends of telephone numbers."""
    for name, value in entry.items():
        if _SECRET_NAMES.search(name) and name != "event":
            entry[name] = "***"
        elif isinstance(value, str):
            entry[name] = _PHONE.sub(lambda found: found.group()[:6] + "•••" + found.group()[-3:], value)
    return entry


def hide_keys(record: logging.LogRecord) -> bool:
    """Django's own loggers name the path of a refused request: keys in it are blotted out before anybody reads."""
    text = record.getMessage()
    if _KEY_PATH.search(text):
        record.msg, record.args = _KEY_PATH.sub(r"\1•••", text), None
        record.__dict__.pop("request", None)  # shows itself with its path
    return True


def configure(options: dict[str, Any]) -> None:
    """Called by Django with ``LOGGING``: ``{"level": "INFO"}``."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    for name in ("django.request", "django.security.csrf", "django.server"):
        logging.getLogger(name).addFilter(hide_keys)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(options.get("level", "INFO"))
    chatty = ("celery.beat", "celery.worker.strategy", "celery.app.trace", "celery.redirected")
    for noisy in ("urllib3", "axes", "kombu", "amqp", "asyncio", *chatty):
        logging.getLogger(noisy).setLevel(logging.WARNING)

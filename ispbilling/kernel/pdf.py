"""Paper: HTML becomes PDF, in a process of its own that may reach nothing but what it is handed.

Laying out is slow, wants libraries that a machine may lack (pango) and takes what people typed: so it is imported by
that process alone, which has a limit of time and of memory, no way to the network and no way to files.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import structlog
from django.utils.translation import gettext as _

from ispbilling.kernel.errors import Unavailable

log = structlog.get_logger(__name__)

#: So long one document may take, in seconds, the start of its process and a slow board included.
TIME_LIMIT_S = 30
MISSING = 3  # what the process ends with when the libraries are not there


@dataclass(frozen=True, slots=True)
class Asset:
    """A file the page may name as ``asset:<name>``: its bytes and media type."""

    content: bytes
    media_type: str


def pdf(html: str, *, assets: Mapping[str, Asset] | None = None, time_limit_s: float = TIME_LIMIT_S) -> bytes:
    """The page as PDF. Every address in it but those of ``assets`` is left out.

    Raises Unavailable ``pdf.missing`` when this machine lacks the libraries, ``pdf.slow``, ``pdf.failed``.
    """
    handed = json.dumps(_handed(html, assets or {})).encode()
    return _laid_out(handed, time_limit_s)


def _handed(html: str, assets: Mapping[str, Asset]) -> dict[str, object]:
    return {
        "html": html,
        "assets": {
            name: [base64.b64encode(asset.content).decode(), asset.media_type] for name, asset in assets.items()
        },
    }


#: A paper that is looked at is looked at twice (shown, then kept): the same page is laid out once.
@lru_cache(maxsize=16)
def _laid_out(handed: bytes, time_limit_s: float) -> bytes:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ispbilling.kernel.pdf_process"],
            input=handed,
            capture_output=True,
            timeout=time_limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        log.warning("pdf.slow", limit_s=time_limit_s)
        raise Unavailable("pdf.slow", _("The file took too long to make. Print the page instead.")) from None
    if done.returncode == MISSING:
        text = _("This server cannot make PDF files: pango is missing (see the README). Print the page instead.")
        raise Unavailable("pdf.missing", text)
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF-"):
        log.error("pdf.failed", code=done.returncode, said=done.stderr[-2000:].decode(errors="replace"))
        raise Unavailable("pdf.failed", _("The file could not be made. Print the page instead."))
    return done.stdout

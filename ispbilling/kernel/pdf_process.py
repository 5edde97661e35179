"""The process that lays out one document: JSON on standard input, PDF on standard output. See ``kernel.pdf``."""

from __future__ import annotations

import base64
import json
import resource
import sys
from typing import Any

MISSING = 3
#: Address space in bytes. Layout of an invoice takes about a third of it.
MEMORY_LIMIT = 1 << 30


def main() -> int:
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher, URLFetcherResponse
    except (ImportError, OSError) as error:  # OSError: the wheel is there, the libraries of the system are not
        sys.stderr.write(f"{error}\n")
        return MISSING
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    handed = json.load(sys.stdin.buffer)
    assets = {f"asset:{name}": (base64.b64decode(body), kind) for name, (body, kind) in handed["assets"].items()}

    class OnlyAssets(URLFetcher):
        """Knows what was handed over, and refuses all else: whatever a name or an address may contain."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            if url not in assets:
                raise ValueError(f"not handed over: {url[:200]}")
            body, kind = assets[url]
            return URLFetcherResponse(url, body, {"Content-Type": kind})

    page = HTML(string=handed["html"], url_fetcher=OnlyAssets(allowed_protocols=frozenset()), base_url=None)
    sys.stdout.buffer.write(page.write_pdf())
    return 0


if __name__ == "__main__":
    sys.exit(main())

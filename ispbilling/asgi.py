"""One address: pages run on a2wsgi's threads, each with its kept database connection."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ispbilling.settings.production")

from a2wsgi import WSGIMiddleware  # noqa: E402

from ispbilling.wsgi import application as pages  # noqa: E402

#: One connection to PostgreSQL per thread.
application: Any = WSGIMiddleware(pages, workers=int(os.environ.get("WEB_THREADS", "8")))

"""One address: pages run on a2wsgi's threads, each with its kept database connection; streams beside them on none."""

from __future__ import annotations

import os
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ispbilling.settings.production")

from a2wsgi import WSGIMiddleware

from ispbilling.kernel.live_streams import Streams
from ispbilling.wsgi import application as pages

#: One connection to PostgreSQL per thread.
threads: Any = WSGIMiddleware(cast(Any, pages), workers=int(os.environ.get("WEB_THREADS", "8")))
application = Streams(threads, paths=["/dashboard/live/", "/client/live/"])

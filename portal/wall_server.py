"""``uvicorn portal.wall_server:application``: the wall's page as a process of its own, for every host and path."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import django
from a2wsgi import WSGIMiddleware

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ispbilling.settings.production")
django.setup()

application: Any = WSGIMiddleware(
    import_module("portal.wall_page").respond, workers=int(os.environ.get("WALL_PAGE_THREADS", "4"))
)

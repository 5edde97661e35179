"""Demo and development: the clock may be moved, static files are served as they lie."""

from ispbilling.settings.base import *
from ispbilling.settings.base import STORAGES, TEMPLATES, env

DEBUG = env.bool("DEBUG", False)
CLOCK_MAY_MOVE = True
ROUTERS_MAY_BE_LOCAL = True
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = None
SESSION_COOKIE_SECURE = False
#: The demo prints its log-ins: whoever tries them has no phone that knows their secrets.
SECOND_FACTOR_REQUIRED = False
#: Written by ``demo_fill``, read by staff pages.
DEMO_PROGRESS_FILE = env.str("DEMO_PROGRESS_FILE", "")
TEMPLATES[0]["OPTIONS"]["context_processors"].append("dashboard.demo.banner.context")  # type: ignore[index]

"""Tests: as the demo, with failpoints that can be armed and intervals that do not make a test wait."""

from ispbilling.settings.base import env
from ispbilling.settings.dev import *

FAILPOINTS_DIR = env.str("FAILPOINTS_DIR", None)
PASSWORD_HASHERS = ["ispbilling.settings.test_hasher.QuickArgon2"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
SEEN_EVERY_S = 86_400  # a page that is only looked at writes nothing, however long the run
API_RATES = {"caller": "100000/min", "nobody": "100000/min"}
API_LOG_FLUSH_S = 0.0

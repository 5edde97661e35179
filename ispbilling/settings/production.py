"""Production: refuses to start with what is only good for a demo."""

from ispbilling.settings.base import *
from ispbilling.settings.base import FIELD_KEYS, PUBLIC_URL, SECRET_KEY, env

CLOCK_MAY_MOVE = False
CLOCK_MUST_BE_SYNCHRONISED = env.bool("CLOCK_MUST_BE_SYNCHRONISED", True)
FAILPOINTS_DIR = None
DEMO_PROGRESS_FILE = ""
DEBUG = False
SECOND_FACTOR_REQUIRED = True

if env.str("FAILPOINTS_DIR", ""):
    raise RuntimeError("FAILPOINTS_DIR is set: failpoints are for tests and refused in production")
if len(SECRET_KEY) < 40 or len(set(SECRET_KEY)) < 10:
    raise RuntimeError("SECRET_KEY is too weak: give it 50 random characters")
if not FIELD_KEYS:
    raise RuntimeError("FIELD_KEYS is empty: router and gateway passwords could not be encrypted")
if not PUBLIC_URL.startswith("https://"):
    raise RuntimeError("PUBLIC_URL must be an https address: gateways call back to it")

SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

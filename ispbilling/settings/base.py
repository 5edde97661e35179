"""Every setting, with its unit and reason. Each variable of the environment is read here once, by name."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.utils.translation import gettext_lazy as _
from environs import Env, validate

env = Env()
BASE_DIR = Path(__file__).resolve().parents[2]


def database(url: str) -> dict[str, Any]:
    """``postgresql://user:password@host:port/name?host=/socket/folder`` as Django wants it."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "ispbilling.kernel.postgres",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username or "",
        "PASSWORD": parts.password or "",
        "HOST": query.get("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": True,
        "OPTIONS": {
            # A request or task that waits this long for a lock is told so instead of hanging. Milliseconds.
            "options": "-c lock_timeout=20000 -c idle_in_transaction_session_timeout=120000",
            "connect_timeout": 10,
        },
    }


SECRET_KEY: str = env.str("SECRET_KEY")
FIELD_KEYS: list[str] = env.list("FIELD_KEYS")  # Fernet keys of encrypted columns; the first one encrypts
DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
PUBLIC_URL: str = env.str("PUBLIC_URL", "http://127.0.0.1:8000")  # where gateways reach us, without a final slash
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_FAILURE_VIEW = "dashboard.errors.csrf_failed"
#: Where routers send the plain HTTP of whoever is behind the wall: ``address:port`` of the process portal.wall_server
#: as they see it. Empty: nothing is sent anywhere, a walled browser is refused and must find the portal by itself.
WALL_PAGE_ADDRESS: str = env.str(
    "WALL_PAGE_ADDRESS", "", validate=validate.Regexp(r"^(\d{1,3}(\.\d{1,3}){3}:\d{1,5})?$")
)

DATABASES = {
    "default": database(env.str("DATABASE_URL", "postgresql://app@/ispbilling")),
    # The owner of the tables, for migrations alone: manage.py migrate --database owner
    "owner": {**database(env.str("OWNER_DATABASE_URL", "postgresql://owner@/ispbilling")), "ATOMIC_REQUESTS": False},
}
REDIS_URL: str = env.str("REDIS_URL", "redis://127.0.0.1:6379/0")
CELERY_BROKER_URL: str = env.str("CELERY_BROKER_URL", REDIS_URL)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "django_otp",
    "axes",
    "csp",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "ispbilling.kernel",
    "accounts",
    "packages",
    "customers",
    "payments",
    "billing",
    "network",
    "sms",
    "portal",
    "dashboard",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "ispbilling.kernel.middleware.RequestContextMiddleware",
    "ispbilling.kernel.middleware.ApiLogMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.TenantMiddleware",
    "accounts.middleware.AccessMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "ispbilling.urls"
WSGI_APPLICATION = "ispbilling.wsgi.application"
ASGI_APPLICATION = "ispbilling.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.page",
            ],
            "builtins": ["ispbilling.kernel.templatetags.show"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Cache, sessions -------------------------------------------------------------------------------------------
CACHES = {
    "default": {
        "BACKEND": "ispbilling.kernel.cache.PatientRedisCache",
        "LOCATION": REDIS_URL,
        # Seconds. A Redis that hangs costs one request this much, then the cache rests (kernel.cache).
        "OPTIONS": {"socket_timeout": 0.25, "socket_connect_timeout": 0.25},
    }
}
SESSION_ENGINE = "ispbilling.kernel.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

# --- Who signs in ----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/dashboard/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/account/login/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "accounts.forms.DoorForm", "reset_password": "accounts.forms.ForgottenForm"}
PASSWORD_RESET_TIMEOUT = 86_400  # seconds for which the link to a new password opens
#: Whether owners and administrators must have a second factor; whoever has one is asked for it in any case.
SECOND_FACTOR_REQUIRED = True
#: How exactly people see when a session of theirs was last used. Seconds; each such step is one write.
SEEN_EVERY_S = 300
ACCOUNT_RATE_LIMITS = {"login_failed": ""}  # counted in PostgreSQL by accounts.adapter, not in Redis
AXES_FAILURE_LIMIT = 5  # wrong passwords for one e-mail from one address
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_CLIENT_IP_CALLABLE = "ispbilling.kernel.middleware.client_address"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "login"
AXES_USERNAME_CALLABLE = "accounts.guards.login_name"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True
EMAIL_BACKEND = env.str("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
EMAIL_TIMEOUT = 10  # seconds; a mail server that hangs costs a request this much
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "billing@localhost")

# --- Headers ---------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # data: for the small arrows inside Bootstrap's style sheet
        "manifest-src": ["'self'"],
        "worker-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
#: How many proxies of ours stand in front; the client's address is that many hops from the right end.
TRUSTED_PROXIES: int = env.int("TRUSTED_PROXIES", 0)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000  # bytes

# --- Programs --------------------------------------------------------------------------------------------------
#: Requests per caller and minute, and per address for whoever is nobody yet. Counted in the cache, so a Redis that is
#: away lets through; the doors themselves are guarded by what is counted in PostgreSQL (accounts.services.tries).
API_RATES: dict[str, str] = {
    "caller": env.str("API_RATE_CALLER", "1200/min"),
    "nobody": env.str("API_RATE_NOBODY", "300/min"),
}
API_LOG_DAYS: int = env.int("API_LOG_DAYS", 30)  # how long it is remembered who called what
API_LOG_FLUSH_S: float = env.float("API_LOG_FLUSH_S", 1.0)  # how late it is written; 0: only when asked to, for tests
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["ispbilling.kernel.rest_callers.Known"],
    "DEFAULT_PERMISSION_CLASSES": [],  # kernel.access decides, before a view is reached
    "DEFAULT_THROTTLE_CLASSES": ["ispbilling.kernel.rest_callers.Throttle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["ispbilling.kernel.rest_callers.Json"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "ispbilling.kernel.rest.refusal",
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": True,
    "STRICT_JSON": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ispbilling",
    "DESCRIPTION": "Everything staff, customers and machines can do with a tenant's data. See docs/api.md.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SCHEMA_PATH_PREFIX": r"/api",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "PREPROCESSING_HOOKS": ["ispbilling.kernel.rest_schema.without_second_names"],
    "POSTPROCESSING_HOOKS": [
        "ispbilling.kernel.rest_schema.with_refusals",
    ],
    "COMPONENT_SPLIT_REQUEST": True,
}

# --- Languages, time -------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("sw", _("Swahili")), ("bn", _("Bangla")), ("fil", _("Filipino"))]
#: What each language calls itself: whoever reads no other must find it.
LANGUAGE_OWN_NAMES = {"en": "English", "sw": "Kiswahili", "bn": "বাংলা", "fil": "Filipino"}
FORMAT_MODULE_PATH = "ispbilling.formats"
NUMBER_GROUPING = 3  # for languages whose formats do not say: thousands
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
CLOCK_MAY_MOVE = False  # True lets product time be moved (demo, tests); see kernel.clock
#: Whether nobody is cut until a time server disciplines this machine's clock; see kernel.clockwatch.
CLOCK_MUST_BE_SYNCHRONISED = False
FAILPOINTS_DIR: str | None = None
#: Where the demo says how far its history is; empty = this is no demo.
DEMO_PROGRESS_FILE = ""

# --- Static files ----------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT: str | None = env.str("STATIC_ROOT", str(BASE_DIR / "staticfiles"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Work in the background ------------------------------------------------------------------------------------
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker outlives its broker, however long that is away
#: In memory: all schedules are intervals, counted by uptime, and a file of instants would outlive a wrong clock.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 2, "max_retries": 0}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
#: A word from the queue is taken off it when its task begins: whoever dies then is made up for by the next sweep, and a
#: worker that still held words when its broker died would die too (kombu cannot give them back without a connection).
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_TASK_SERIALIZER = "json"

SWEEP_INTERVAL_S: float = env.float("SWEEP_INTERVAL_S", 5.0)  # how late unwoken work may be found
POLL_INTERVAL_S: float = env.float("POLL_INTERVAL_S", 60.0)  # seconds between two readings of one router
AUDIT_INTERVAL_S: float = env.float("AUDIT_INTERVAL_S", 300.0)  # between two comparisons of all rows of one router
HEARTBEAT_INTERVAL_S: float = env.float("HEARTBEAT_INTERVAL_S", 20.0)  # a sign of life of each queue's worker
#: Whether staff may enter a router at an address of this machine itself: only where routers are simulated.
ROUTERS_MAY_BE_LOCAL = False
QUEUES = ("events", "default", "outside", "network")
CYCLE_INTERVAL_S: float = env.float("CYCLE_INTERVAL_S", 10.0)  # how late an expiry may be noticed

# --- Live pages ------------------------------------------------------------------------------------------------
LIVE_CHECK_S: float = env.float("LIVE_CHECK_S", 90.0)  # how long an open stream outlives its session, at most
LIVE_STREAMS_MAX: int = env.int("LIVE_STREAMS_MAX", 2000)  # open streams of one web process
LIVE_STREAMS_PER_PERSON: int = env.int("LIVE_STREAMS_PER_PERSON", 12)  # of one person, in one web process

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SILENCED_SYSTEM_CHECKS: list[str] = []

LOG_LEVEL: str = env.str("LOG_LEVEL", "INFO")
LOGGING_CONFIG = "ispbilling.logs.configure"
LOGGING = {"level": LOG_LEVEL}

"""Django's settings, all from the environment; `.env.example` explains every name."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url

from backend import env
from backend.telemetry.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var")))

# --- what kind of process this is -----------------------------------------------------------
DEBUG = env.flag("DEBUG")
DEVELOPMENT_SECRET = "development-only-" + "0" * 50
SECRET_KEY = env.text("SECRET_KEY", DEVELOPMENT_SECRET if DEBUG else "")
# What was signed with one of these is still taken; nothing is signed with them any more.
SECRET_KEY_FALLBACKS = env.items("SECRET_KEY_FALLBACKS")
PUBLIC_URL = env.text("PUBLIC_URL", "http://127.0.0.1:8000" if DEBUG else "").rstrip("/")
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS") or (
    ["127.0.0.1", "localhost", "[::1]"] if DEBUG else [urlsplit(PUBLIC_URL).hostname or ""]
)
CORS_ORIGINS = frozenset(env.items("CORS_ORIGINS"))
# Where a browser may be sent after consent: exact origins besides our own, and apps' own schemes.
RETURN_URLS = frozenset(env.items("RETURN_URLS"))
GRAPHIQL = env.flag("GRAPHIQL", default=DEBUG)
# Whether the money here is play money. API keys are made for one of the two, and work nowhere else.
TEST_MODE = env.flag("TEST_MODE", default=DEBUG)

INSTALLED_APPS = [
    "backend.back_office.apps.OurAdmin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "pgtrigger",
    "backend.heartbeat",
    "backend.accounts",
    "backend.events",
    "backend.files",
    "backend.profiles",
    "backend.jobs",
    "backend.payments",
    "backend.ledger",
    "backend.funding",
    "backend.receipts",
    "backend.reconciliation",
    "backend.webhooks",
    "backend.notifications",
    "backend.schema",
    "backend.guide",
    "backend.sandbox",
    "backend.doctor",
    "backend.back_office",
    "backend.monitoring",
]
MIDDLEWARE = [
    "backend.health.Probes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    # Pages and the admin speak as the browser asks; /graphql does not come this way.
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Says whether this session has shown a second factor: see backend/back_office.
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "backend.outages.Outages",
]
ROOT_URLCONF = "backend.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "backend" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ASGI_APPLICATION = "backend.asgi.application"

# --- database: SQLite embedded, PostgreSQL when asked ------------------------------------------
DATABASE_URL = env.text("DATABASE_URL")


def _sqlite(path: Path) -> dict[str, Any]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            # IMMEDIATE takes the write lock at BEGIN: two writers queue instead of one of them
            # failing half-way with "database is locked".
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def _postgresql(url: str) -> dict[str, Any]:
    database: dict[str, Any] = dict(dj_database_url.parse(url))
    # The pool bounds connections under ASGI; CONN_MAX_AGE > 0 leaks one per thread there.
    database["CONN_MAX_AGE"] = 0
    database["CONN_HEALTH_CHECKS"] = True
    database["OPTIONS"] = {
        **database.get("OPTIONS", {}),
        "pool": {
            "min_size": 2,
            "max_size": int(env.number("DATABASE_POOL_SIZE", 16)),
            # While the database is away: who asks is told so soon, and /readyz says it. The
            # pauses between tries to connect double; giving up soon begins them anew, so that a
            # database that is back is not left alone.
            "timeout": 3,
            "reconnect_timeout": 2,
        },
    }
    return database


DATABASES = {
    "default": _postgresql(DATABASE_URL)
    if DATABASE_URL.startswith(("postgres", "postgresql"))
    else _sqlite(Path(DATABASE_URL.removeprefix("sqlite:///") or VAR_DIR / "faena.sqlite3"))
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis and Celery: hints and wake-ups only; losing them loses nothing ------------------------
REDIS_URL = env.text("REDIS_URL")
# Every channel and key we use in Redis starts with this, so that two installations can share one.
REDIS_PREFIX = env.text("REDIS_PREFIX", "faena")
BROKER_URL = env.text("BROKER_URL", REDIS_URL or "memory://localhost//")

# --- people ---------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
# Counts the admin's log-ins like everybody else's.
AUTHENTICATION_BACKENDS = ["backend.accounts.backends.LimitedBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# Whether the admin asks for a code after the password. Only development may say no: see checks.py.
OPERATORS_NEED_SECOND_FACTOR = env.flag("OPERATORS_NEED_SECOND_FACTOR", default=not DEBUG)
# Only operators have sessions: a working day.
SESSION_COOKIE_AGE = 12 * 3600
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- Open Payments ----------------------------------------------------------------------------
OP_CLIENT_WALLET_ADDRESS = env.text("OP_CLIENT_WALLET_ADDRESS")
OP_CLIENT_KEY_ID = env.text("OP_CLIENT_KEY_ID")
OP_CLIENT_PRIVATE_KEY = env.text("OP_CLIENT_PRIVATE_KEY")
# Exact origins (scheme://host:port) allowed besides the public https internet. Development only.
OP_DEV_ORIGINS = frozenset(env.items("OP_DEV_ORIGINS"))
OP_CA_FILE = env.text("OP_CA_FILE")
SELLER_ID = env.text("SELLER_ID", "default-seller")
SELLER_WALLET_ADDRESS_URL = env.text("SELLER_WALLET_ADDRESS_URL")
TREASURY_WALLET_ADDRESS_URL = env.text("TREASURY_WALLET_ADDRESS_URL")
# What payers pay on top of what workers get, in hundredths of a percent; checks.py says how much.
PLATFORM_FEE_BPS = env.number("PLATFORM_FEE_BPS", 0)
PLATFORM_FEE_WALLET_ADDRESS_URLS = env.items("PLATFORM_FEE_WALLET_ADDRESS_URLS")
# kid:base64 pairs: the first one encrypts, all of them decrypt. docs/rotations.md adds one.
ENCRYPTION_KEYS = env.items("ENCRYPTION_KEYS") or (
    ["development:ZGV2ZWxvcG1lbnQtb25seS0wMDAwMDAwMDAwMDAwMDA="] if DEBUG else []
)
WEBHOOK_SECRETS = env.items("WEBHOOK_SECRETS")

# --- mails ----------------------------------------------------------------------------------------
EMAIL_URL = env.text("EMAIL_URL", "console:" if DEBUG else "")
# Without a server nobody is mailed, and nothing is put in line.
SENDS_MAIL = bool(EMAIL_URL)
MAIL_SERVER = env.mail_server("EMAIL_URL", EMAIL_URL)
EMAIL_BACKEND = MAIL_SERVER.backend
EMAIL_HOST, EMAIL_PORT = MAIL_SERVER.host, MAIL_SERVER.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL_SERVER.user, MAIL_SERVER.password
EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL_SERVER.starts_tls, MAIL_SERVER.is_tls
# For each answer of the mail server.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Faena <faena@localhost>" if DEBUG else "")
# The page of a job in somebody's app, with {job} for its `id`; mails lead there.
NOTIFICATION_JOB_URL = env.text("NOTIFICATION_JOB_URL")

# --- receipts -----------------------------------------------------------------------------------
RECEIPT_PRIVATE_KEY = env.text("RECEIPT_PRIVATE_KEY")
RECEIPT_KEY_ID = env.text("RECEIPT_KEY_ID")
# A JWK set: public keys that signed receipts before.
RECEIPT_RETIRED_KEYS = env.text("RECEIPT_RETIRED_KEYS")
# Where the key of a developer's machine is kept, and made when there is none.
RECEIPT_DEVELOPMENT_KEY_PATH = VAR_DIR / "receipt-key.pem" if DEBUG else None

# --- files ------------------------------------------------------------------------------------
# A bucket of any S3-compatible store; without one, files are kept in FILES_DIR.
FILES_BUCKET = env.text("FILES_BUCKET")
FILES_DIR = Path(env.text("FILES_DIR", str(VAR_DIR / "files")))
FILES_ENDPOINT_URL = env.text("FILES_ENDPOINT_URL")
# The same store as browsers reach it, where that is another address.
FILES_PUBLIC_ENDPOINT_URL = env.text("FILES_PUBLIC_ENDPOINT_URL", FILES_ENDPOINT_URL)
FILES_REGION = env.text("FILES_REGION", "us-east-1")
FILES_ACCESS_KEY_ID = env.text("FILES_ACCESS_KEY_ID")
FILES_SECRET_ACCESS_KEY = env.text("FILES_SECRET_ACCESS_KEY")
FILES_LARGEST_BYTES = int(env.number("FILES_LARGEST_BYTES", 200 * 1024**2))
FILES_BYTES_PER_USER = int(env.number("FILES_BYTES_PER_USER", 2 * 1024**3))
FILES_UNFINISHED_PER_USER = int(env.number("FILES_UNFINISHED_PER_USER", 20))

# --- the payment workflow's rhythm ----------------------------------------------------------------
LEASE_S = env.number("LEASE_S", 30)
TICK_S = env.number("TICK_S", 0.25)
WALLET_BUDGET_S = env.number("WALLET_BUDGET_S", 10)

# --- the web -------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(VAR_DIR / "static")))
# WhiteNoise warns about a missing folder; `collectstatic` fills it.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
WHITENOISE_USE_FINDERS = DEBUG
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "backend" / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"
DATA_UPLOAD_MAX_MEMORY_SIZE = 128 * 1024
SECURE_HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_HTTPS
CSRF_COOKIE_HTTPONLY = True  # forms carry the token; no script of ours reads it
SECURE_SSL_REDIRECT = False  # TLS ends at the proxy
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY") else None
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HTTPS
# With "no-referrer" browsers send forms with `Origin: null`, which Django takes for a forgery:
# nobody could log in to the admin. Answers with secrets in their address are stricter themselves.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# headers.py says it of every answer but redirects.
SECURE_CROSS_ORIGIN_OPENER_POLICY = None
# TLS ends at the proxy, which redirects; Django's own redirect would only hide a wrong proxy.
SILENCED_SYSTEM_CHECKS = ["security.W008"]

# --- what operators see: docs/observability.md ---------------------------------------------------
# Who may read /metrics outside of DEBUG: Authorization: Bearer <METRICS_TOKEN>.
METRICS_TOKEN = env.text("METRICS_TOKEN")
# Where workers and pump show their own numbers; 0: nowhere.
METRICS_HOST = env.text("METRICS_HOST", "127.0.0.1")
METRICS_PORT = int(env.number("METRICS_PORT", 0))
LOG_FORMAT = env.text("LOG_FORMAT", "text" if DEBUG else "json")
LOGGING = logging_config(
    level=env.text("LOG_LEVEL", "INFO"),
    as_json=LOG_FORMAT != "text",
    secrets=[
        *(SECRET_KEY, OP_CLIENT_PRIVATE_KEY, RECEIPT_PRIVATE_KEY, EMAIL_HOST_PASSWORD),
        *(FILES_SECRET_ACCESS_KEY, str(DATABASES["default"].get("PASSWORD", ""))),
        *(METRICS_TOKEN, *WEBHOOK_SECRETS, *SECRET_KEY_FALLBACKS),
        *(key.partition(":")[2] for key in ENCRYPTION_KEYS),
        *(urlsplit(url).password or "" for url in (REDIS_URL, BROKER_URL)),
    ],
)

"""Settings, read from the environment; every variable is optional for `make run` and `make test`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from triage_site.environment import (
    MONGODB_ENGINE,
    env_bool,
    env_float,
    env_int,
    env_list,
    env_paths,
    env_secret,
    parse_database_url,
    with_timeouts,
)

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = BASE_DIR / "data"

# The first heading of the changelog is the one place that names the version.
_heading = re.search(r"^## ([\w.+-]+)", (BASE_DIR / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
VERSION = _heading.group(1) if _heading else "unknown"

# -- how safe to be ---------------------------------------------------------------------------------
# Three ways to run: DEBUG=1 (developing), embedded (neither DEBUG nor SECRET_KEY set, the key lies in
# data/secret_key where `make run` wrote it; plain http on loopback), and production (SECRET_KEY set).
DEBUG = env_bool("DEBUG")
# What only a desk that others reach is given: there a key that is missing must not be made good in silence.
_deployed = ("ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS")
SECRET_KEY = env_secret("SECRET_KEY")
_embedded_key = DATA_DIR / "secret_key"
EMBEDDED = not SECRET_KEY and not DEBUG and "DEBUG" not in os.environ and _embedded_key.is_file()
if EMBEDDED:
    SECRET_KEY = _embedded_key.read_text(encoding="utf-8").strip()
elif not SECRET_KEY and DEBUG:
    SECRET_KEY = "only-for-development-never-for-a-site-that-others-can-reach"  # noqa: S105 (refused without DEBUG)
# Behind a reverse proxy that sets X-Forwarded-For and X-Forwarded-Proto itself; else both are ignored.
BEHIND_PROXY = env_bool("BEHIND_PROXY")
_named = [name for name in _deployed if os.environ.get(name, "").strip()] + ["BEHIND_PROXY"] * BEHIND_PROXY
if EMBEDDED and _named:
    raise ImproperlyConfigured(
        f"{_named[0]} is set, so this is to be a deployed desk, but SECRET_KEY is not. Set SECRET_KEY, or "
        f"SECRET_KEY_FILE, to a long random value; for a desk on this machine alone take {_named[0]} out."
    )
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. On a laptop use `make run`, which makes one. In production set SECRET_KEY, or "
        "SECRET_KEY_FILE, to a long random value; for development set DEBUG=1."
    )

PRODUCTION = not DEBUG and not EMBEDDED
# This machine's own names too: a probe or a scraper beside the web server calls it by them.
ALLOWED_HOSTS = [*env_list("ALLOWED_HOSTS"), "127.0.0.1", "localhost", "[::1]"]
if PRODUCTION and not env_list("ALLOWED_HOSTS"):
    raise ImproperlyConfigured("ALLOWED_HOSTS is not set: name the desk's address, such as desk.example.org.")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
# Origins whose pages may post to the JSON API from a browser (the widget); "*" allows any.
API_ALLOWED_ORIGINS = env_list("API_ALLOWED_ORIGINS")

SECURE_SSL_REDIRECT = PRODUCTION
# Probes ask the web server itself, over plain http inside the machine or the cluster.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^metrics$"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000

# -- what runs ----------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "triage_site.admin_site.DeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    # Serves static files under runserver too, so that development and production agree.
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    # Before django_q: analyzer's qcluster command imports the agent once, before the workers fork.
    "feedback",
    "analyzer",
    "training",
    "triage_site",
    "django_q",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Last, as its documentation asks, so that it sees every login attempt.
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "triage_site.urls"
WSGI_APPLICATION = "triage_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# -- where things are kept ----------------------------------------------------------------------------
if os.environ.get("DB_ENGINE", "").lower().startswith("djongo"):
    parse_database_url("djongo://", base_dir=BASE_DIR)
DATABASES = {
    "default": parse_database_url(env_secret("DATABASE_URL") or "sqlite:///data/desk.sqlite3", base_dir=BASE_DIR)
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if DATABASES["default"]["ENGINE"] == MONGODB_ENGINE:
    # MongoDB's primary keys are ObjectIds, so apps with numbered rows come with another config and migrations.
    DEFAULT_AUTO_FIELD = "django_mongodb_backend.fields.ObjectIdAutoField"
    DATABASE_ROUTERS = ["django_mongodb_backend.routers.MongoRouter"]
    _mongo_apps = {
        "triage_site.admin_site.DeskAdminConfig": "triage_site.mongo.MongoAdminConfig",
        "django.contrib.auth": "triage_site.mongo.MongoAuthConfig",
        "django.contrib.contenttypes": "triage_site.mongo.MongoContentTypesConfig",
        "axes": "triage_site.mongo.MongoAxesConfig",
        "django_q": "triage_site.mongo.MongoQConfig",
    }
    INSTALLED_APPS = [_mongo_apps.get(app, app) for app in INSTALLED_APPS]
    MIGRATION_MODULES = {
        app: f"triage_site.mongo_migrations.{app}" for app in ("admin", "auth", "contenttypes", "axes", "django_q")
    }
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # What people wrote lies in it; SQLite's files have the modes of any other file.
    DATA_DIR.mkdir(mode=0o700, exist_ok=True)

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
# Five wrong passwords for one name from one address close that pair for a quarter of an hour.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "admin/locked_out.html"
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "feedback.client.address"
AXES_HTTP_RESPONSE_CODE = 429
SILENCED_SYSTEM_CHECKS = ["axes.W006"]  # the lockout is by name and address together, on purpose
if DATABASES["default"]["ENGINE"] == MONGODB_ENGINE:
    # It has no check constraints: what they refuse is refused by the forms and models alone there.
    SILENCED_SYSTEM_CHECKS.append("models.W027")

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
DATETIME_FORMAT = "j M Y, H:i"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if PRODUCTION
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
if not PRODUCTION:
    # Files are served from where they lie; whitenoise only warns when the folder is missing.
    STATIC_ROOT.mkdir(exist_ok=True)

# -- the queue of work --------------------------------------------------------------------------------
Q_BROKER = env_secret("Q_BROKER") or "orm"
# Seconds that one answer of the endpoint may take.
TRIAGE_TIMEOUT = env_float("TRIAGE_TIMEOUT", 30.0, minimum=0.1, maximum=600)
# Two slow answers of the endpoint, and the local engine after them.
LONGEST_ANALYSIS = round(2 * TRIAGE_TIMEOUT) + 30
Q_TIMEOUT = env_int("Q_TIMEOUT", max(120, LONGEST_ANALYSIS), minimum=5, maximum=3600)
Q_CLUSTER: dict[str, Any] = {
    "name": "feedback-triage",
    "label": "Background tasks",
    "workers": env_int("Q_WORKERS", 2, minimum=1, maximum=64),
    "timeout": Q_TIMEOUT,
    # Must exceed the timeout, else a slow task is handed out twice.
    "retry": env_int("Q_RETRY", Q_TIMEOUT + 60, minimum=6, maximum=7200),
    "max_attempts": 3,
    "ack_failures": True,
    # Our own rows carry the state of an analysis; keeping successes costs seven eighths of the throughput.
    "save_limit": -1,
    "bulk": 20,
    "queue_limit": 40,
    "recycle": 100_000,
    "catch_up": False,
    "log_level": "WARNING",
}
if Q_CLUSTER["retry"] <= Q_CLUSTER["timeout"]:
    raise ImproperlyConfigured(
        f"Q_RETRY must be larger than Q_TIMEOUT, else a slow task runs twice. Q_TIMEOUT is {Q_TIMEOUT}, of which two "
        "times TRIAGE_TIMEOUT are the endpoint's; without a value Q_RETRY follows it."
    )
if Q_BROKER == "orm":
    Q_CLUSTER["orm"] = "default"
elif Q_BROKER.startswith(("redis://", "rediss://", "unix://")):
    # Whoever submits waits for it: the row is stored already, and the sweep finds what could not be queued.
    Q_CLUSTER["redis"] = with_timeouts(Q_BROKER, seconds=5)
else:
    raise ImproperlyConfigured(f"Q_BROKER={Q_BROKER.split(':')[0]!r} is not known: use orm or redis://host:6379/0.")

# -- intake -------------------------------------------------------------------------------------------
# Submissions that one client may make in ten minutes.
FEEDBACK_RATE_LIMIT = env_int("FEEDBACK_RATE_LIMIT", 20, minimum=0, maximum=1_000_000)
FEEDBACK_RATE_WINDOW_SECONDS = 600

# -- the website's MongoDB, for sync_feedback ---------------------------------------------------------
MONGO_MIRROR_URL = env_secret("MONGO_MIRROR_URL")
MONGO_MIRROR_COLLECTION = os.environ.get("MONGO_MIRROR_COLLECTION", "").strip()
# Our field -> theirs; a dot goes into a subdocument.
MONGO_MIRROR_FIELDS = env_paths(
    "MONGO_MIRROR_FIELDS",
    {
        "type": "type",
        "rating": "rating",
        "comment": "comment",
        "page": "page",
        "page_title": "pageTitle",
        "viewport": "viewport",
        "received_at": "createdAt",
        "updated_at": "updatedAt",
    },
)
# What --write-back sets on their documents, and nothing else.
MONGO_MIRROR_WRITE_FIELDS = env_paths(
    "MONGO_MIRROR_WRITE_FIELDS",
    {name: f"triage.{name}" for name in ("category", "severity", "priority", "status")},
)
# How late a document may show up behind its own updatedAt: clock differences and slow writes together.
MONGO_MIRROR_OVERLAP_SECONDS = env_int("MONGO_MIRROR_OVERLAP_SECONDS", 60, minimum=0, maximum=24 * 3600)
# How often --watch looks where there is no change stream.
MONGO_MIRROR_POLL_SECONDS = env_int("MONGO_MIRROR_POLL_SECONDS", 10, minimum=1, maximum=3600)

# -- the analyzer -------------------------------------------------------------------------------------
OPENAI_BASE_URL = os.environ.get("OPENAI_BASE_URL", "").strip()
OPENAI_API_KEY = env_secret("OPENAI_API_KEY")
TRIAGE_MODEL = os.environ.get("TRIAGE_MODEL", "").strip() or "gpt-4o-mini"
TRIAGE_ENDPOINT = bool(OPENAI_BASE_URL or OPENAI_API_KEY)
TRIAGE_ENGINE_NAMED = bool(os.environ.get("TRIAGE_ENGINE", "").strip())
TRIAGE_ENGINE = os.environ.get("TRIAGE_ENGINE", "").strip() or ("cascade" if TRIAGE_ENDPOINT else "local")
if TRIAGE_ENGINE not in ("local", "llm", "cascade"):
    raise ImproperlyConfigured(f"TRIAGE_ENGINE={TRIAGE_ENGINE!r} is not known: use local, llm or cascade.")
if TRIAGE_ENGINE != "local" and not TRIAGE_ENDPOINT:
    raise ImproperlyConfigured(
        f"TRIAGE_ENGINE={TRIAGE_ENGINE} asks a model, but neither OPENAI_BASE_URL nor OPENAI_API_KEY is set."
    )
if TRIAGE_ENGINE != "local" and Q_TIMEOUT < LONGEST_ANALYSIS:
    raise ImproperlyConfigured(
        f"Q_TIMEOUT={Q_TIMEOUT} would cut an analysis off before its endpoint has had its two times TRIAGE_TIMEOUT="
        f"{TRIAGE_TIMEOUT:g} seconds, so that nothing answers: set Q_TIMEOUT to {LONGEST_ANALYSIS} or more, or leave "
        "it out."
    )
# Seconds that a claimed analysis may take before it is retried.
ANALYSIS_LEASE_SECONDS = env_int("ANALYSIS_LEASE_SECONDS", Q_TIMEOUT + 30, minimum=1, maximum=7200)
LIGHTNING_STORE_URL = os.environ.get("LIGHTNING_STORE_URL", "").strip()
# What run_store wants of its clients, and what they show it.
LIGHTNING_STORE_TOKEN = env_secret("LIGHTNING_STORE_TOKEN")
# What fine-tuning learns from and the adapters that come out, one folder a run.
FINETUNE_DIR = BASE_DIR / (os.environ.get("FINETUNE_DIR", "").strip() or "data/finetune")
# Minutes that an opened item is kept from being handed to others, unless its reader does something.
CLAIM_MINUTES = env_int("CLAIM_MINUTES", 10, minimum=1, maximum=24 * 60)
# Share of decisions that a second person checks without seeing them.
SECOND_OPINION_SHARE = env_float("SECOND_OPINION_SHARE", 0.1, minimum=0, maximum=1)
# Hours within which an item of a severity should be decided.
TARGET_HOURS = {
    severity: env_int(f"TARGET_HOURS_{severity.upper()}", hours, minimum=1, maximum=24 * 365)
    for severity, hours in (("critical", 4), ("high", 24), ("medium", 72), ("low", 168))
}

# Days after which the worker removes the traces of analyses; 0 keeps them.
RETENTION_DAYS = env_int("RETENTION_DAYS", 0, minimum=0, maximum=36_500)

# Lets a scraper on another machine read /metrics; without it only this machine may.
METRICS_TOKEN = env_secret("METRICS_TOKEN")

# -- logs ---------------------------------------------------------------------------------------------
# One line an event: as text, or as one JSON object each, which also tells every item's way through the desk.
LOG_FORMAT = os.environ.get("LOG_FORMAT", "").strip() or "line"
if LOG_FORMAT not in ("line", "json"):
    raise ImproperlyConfigured(f"LOG_FORMAT={LOG_FORMAT!r} is not known: use line or json.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "triage_site.logs.LineFormatter"},
        "json": {"()": "triage_site.logs.JsonFormatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "feedback": {"level": "INFO"},
        "analyzer": {"level": "INFO"},
        "training": {"level": "INFO"},
        "triage_site.events": {"level": "INFO" if LOG_FORMAT == "json" else "WARNING"},
        # Django's own handlers write an exception's message, which may quote a comment.
        "django": {"handlers": [], "level": "WARNING"},
        # It announces its version at every start.
        "axes": {"level": "ERROR"},
    },
}

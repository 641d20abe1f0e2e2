"""All settings of the portal. Every one has a default and an environment variable; `.env.example` lists them."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from .env import cache, database, envbool, envfloat, envint, envlist, envpath, envstr, mail, secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

# Where everything that is not code lives: database, media, logs, cache, secret key.
DATA_DIR = envpath("INBETWEEN_DATA", BASE_DIR)
DATA_DIR.mkdir(parents=True, exist_ok=True)
MEDIA_ROOT = envpath("INBETWEEN_MEDIA", DATA_DIR / "media")
MEDIA_URL = "/media/"
LOG_DIR = envpath("INBETWEEN_LOGS", DATA_DIR / "logs")
LOG_DIR.mkdir(parents=True, exist_ok=True)
SAMPLE_CLIP = envpath("INBETWEEN_SAMPLE", BASE_DIR / "interpolation" / "sample" / "big_buck_bunny.mp4")

# -- Who may talk to us ------------------------------------------------------------------------------------------------
SECRET_KEY = envstr("INBETWEEN_SECRET_KEY") or secret_key(DATA_DIR / ".secret_key")
DEBUG = envbool("INBETWEEN_DEBUG", False)
ALLOWED_HOSTS = envlist("INBETWEEN_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = envlist("INBETWEEN_CSRF_TRUSTED_ORIGINS")
HTTPS = envbool("INBETWEEN_HTTPS", False)  # the portal is reached by https:// only
BEHIND_PROXY = envbool("INBETWEEN_BEHIND_PROXY", False)  # a proxy of ours sets X-Forwarded-Proto and X-Forwarded-For
SIGNUP = envbool("INBETWEEN_SIGNUP", True)

SESSION_COOKIE_NAME = "inbetween_session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = envint("INBETWEEN_HSTS_SECONDS", 31_536_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = envbool("INBETWEEN_HSTS_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = envbool("INBETWEEN_HSTS_PRELOAD", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Whether sub-domains and browsers' preload lists are bound to HTTPS too is for the owner of the domain to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],  # Plotly's own rules lie in static/vendor/plotly/plotly.css
        "img-src": [SELF, "data:", "blob:"],
        "media-src": [SELF, "blob:"],
        "font-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# -- Parts -------------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "axes",
    "csp",
    "django_filters",
    "django_q",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
    "frameinterp_site",
    "interpolation",
    "training",
]

MIDDLEWARE = [
    "frameinterp_site.problems.ProblemMiddleware",  # outermost: errors of all others, too
    "django.middleware.security.SecurityMiddleware",
    "frameinterp_site.static.CompressedStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "frameinterp_site.methods.PageMethodsMiddleware",
    "frameinterp_site.uploads.RefusedUploadMiddleware",  # a form that is not whole has no token to check
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "frameinterp_site.freshness.FreshPagesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "interpolation.middleware.LocalTimeMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "frameinterp_site.logs.JobLogMiddleware",
    "axes.middleware.AxesMiddleware",
    "frameinterp_site.fulldisk.FullDiskMiddleware",
    "frameinterp_site.idempotency.IdempotencyMiddleware",  # innermost: it knows who asks
]

ROOT_URLCONF = "frameinterp_site.urls"
WSGI_APPLICATION = "frameinterp_site.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

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
                "frameinterp_site.holds.notices",
            ],
        },
    },
]

# -- What is kept where ------------------------------------------------------------------------------------------------
DATABASES = {"default": database(envstr("INBETWEEN_DATABASE"), DATA_DIR)}
# Shared by all processes: the health page reads what clusters and reaper say of themselves, throttles count over all.
CACHES = {"default": cache(envstr("INBETWEEN_CACHE", "file"), DATA_DIR)}

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "staticfiles"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a missing one
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True  # serves static/ as it lies there: no collectstatic to forget
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# Uploads arrive on the disk where they stay, so that they are taken over by a rename.
FILE_UPLOAD_TEMP_DIR = envpath("INBETWEEN_UPLOAD_TMP", MEDIA_ROOT / "incoming")
FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "frameinterp_site.uploads.GuardedUploadHandler",
]
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # bytes; larger uploads are streamed to a temporary file
FILE_UPLOAD_PERMISSIONS = 0o640
DATA_UPLOAD_MAX_NUMBER_FILES = None  # counted, and refused in words, in frameinterp_site/uploads.py
MAX_UPLOAD_BYTES = envint("INBETWEEN_MAX_UPLOAD_MB", 4096, 1) * 1024 * 1024
MIN_FREE_BYTES = envint("INBETWEEN_MIN_FREE_MB", 512) * 1024 * 1024  # room that uploads and jobs leave on the disk
UPLOAD_HOURS = envfloat("INBETWEEN_UPLOAD_HOURS", 72.0, 0.01)  # how long an upload that stopped half-way is kept
ACCEL_REDIRECT = envstr("INBETWEEN_ACCEL_REDIRECT")  # nginx's internal location for MEDIA_ROOT, e.g. /protected/

# -- People ------------------------------------------------------------------------------------------------------------
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
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "projects"
LOGOUT_REDIRECT_URL = "home"

AXES_FAILURE_LIMIT = envint("INBETWEEN_LOGIN_FAILURES", 10, 1)
AXES_COOLOFF_TIME = timedelta(minutes=envint("INBETWEEN_LOGIN_COOLOFF_MINUTES", 15, 1))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # a stranger cannot lock the owner out from elsewhere
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "frameinterp_site.lockout.locked_out"
if BEHIND_PROXY:
    AXES_CLIENT_IP_CALLABLE = "frameinterp_site.proxy.client_ip"

# -- Mail: only where somebody asked for it, and only if this is set ------------------------------------------------
MAIL = mail(envstr("INBETWEEN_EMAIL"))
EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.host, MAIL.port, MAIL.user, MAIL.password
EMAIL_USE_SSL, EMAIL_USE_TLS, EMAIL_TIMEOUT = MAIL.ssl, MAIL.starttls, 20
DEFAULT_FROM_EMAIL = envstr("INBETWEEN_EMAIL_FROM", "inbetween@localhost")
PUBLIC_URL = envstr("INBETWEEN_URL", f"http://127.0.0.1:{envint('INBETWEEN_PORT', 8000)}").rstrip("/")  # in mails

# -- API ---------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "interpolation.api.authentication.ScopedTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["frameinterp_site.api.Json"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "frameinterp_site.api.AlwaysJson",
    "DEFAULT_FILTER_BACKENDS": ["frameinterp_site.api.Filters"],
    "DEFAULT_PAGINATION_CLASS": "frameinterp_site.api.Pages",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "frameinterp_site.schema.Schema",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
        "rest_framework.throttling.ScopedRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": envstr("INBETWEEN_THROTTLE_ANON", "60/min"),
        "user": envstr("INBETWEEN_THROTTLE_USER", "1200/min"),
        "upload": envstr("INBETWEEN_THROTTLE_UPLOAD", "120/hour"),
        "job": envstr("INBETWEEN_THROTTLE_JOB", "240/hour"),
        "token": envstr("INBETWEEN_THROTTLE_TOKEN", "20/hour"),
    },
    "EXCEPTION_HANDLER": "frameinterp_site.problems.handler",
    "NUM_PROXIES": 1 if BEHIND_PROXY else 0,
}
TOKEN_DAYS = envint("INBETWEEN_TOKEN_DAYS", 365, 1)
REST_KNOX = {"TOKEN_TTL": timedelta(days=TOKEN_DAYS), "AUTH_HEADER_PREFIX": "Token"}
KNOX_TOKEN_MODEL = "interpolation.ApiToken"
SPECTACULAR_SETTINGS = {
    "TITLE": "Inbetween API",
    "DESCRIPTION": "Upload a source, start a job, ask how far it is, download the result. Scripts send a token of your "
    "[account](/account/) as `Authorization: Token ...`; in this page you may try all calls as who is signed in. Lists "
    "come in pages; what goes wrong is said as [problems](/api/v1/problems/).",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "ENUM_NAME_OVERRIDES": {
        "StatusEnum": "interpolation.models.Job.Status",
        "KindEnum": "interpolation.models.Source.Kind",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "frameinterp_site.schema.add_problems",
        "frameinterp_site.schema.add_examples",
        "frameinterp_site.summaries.add_summaries",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# -- Webhooks ----------------------------------------------------------------------------------------------------------
WEBHOOK_HOSTS = envlist("INBETWEEN_WEBHOOK_HOSTS")  # patterns such as *.example.org; empty: every public host
WEBHOOK_PRIVATE = envbool("INBETWEEN_WEBHOOK_PRIVATE", False)  # also hosts of this machine and of networks inside
WEBHOOK_SECONDS = envfloat("INBETWEEN_WEBHOOK_SECONDS", 10.0, 1.0)
WEBHOOK_ATTEMPTS = envint("INBETWEEN_WEBHOOK_ATTEMPTS", 7, 1)  # after 10 s, 1 min, 5 min, 30 min, 2 h, 6 h

# -- Jobs --------------------------------------------------------------------------------------------------------------
CORES = os.cpu_count() or 1
WORKERS = envint("INBETWEEN_WORKERS", 1, 1)  # jobs rendered at the same time on this machine
JOB_THREADS = envint("INBETWEEN_JOB_THREADS", max(1, CORES // WORKERS), 1)
JOB_MEMORY_BYTES = envint("INBETWEEN_JOB_MEMORY_MB", 8192) * 1024 * 1024  # 0: no limit
JOB_TIMEOUT = envint("INBETWEEN_JOB_TIMEOUT_HOURS", 24, 1) * 3600  # seconds
JOB_STALL = envfloat("INBETWEEN_JOB_STALL", 1800.0)  # seconds without any progress until a job is stopped; 0: never
JOB_WARM = envbool("INBETWEEN_WARM", True)  # every worker keeps a child that is ready for the next job
DISK_WAIT = envfloat("INBETWEEN_DISK_WAIT_HOURS", 24.0) * 3600  # seconds a job waits for room; 0: fails at once
SEGMENT_DAYS = envfloat("INBETWEEN_SEGMENT_DAYS", 7.0)  # how long parts of a job that is over are kept; 0: not at all
JOB_ATTEMPTS = envint("INBETWEEN_JOB_ATTEMPTS", 2, 1)
JOB_DEVICE = envstr("INBETWEEN_DEVICE", "auto")
HEARTBEAT_STALE = envfloat("INBETWEEN_HEARTBEAT_STALE", 60.0, 1.0)  # seconds; a job silent for longer is dead
REAP_INTERVAL = envfloat("INBETWEEN_REAP_INTERVAL", 15.0, 0.1)  # seconds
UNDO_DAYS = envfloat("INBETWEEN_UNDO_DAYS", 7.0)  # how long a deletion can be taken back; 0: not at all
PROBE_SECONDS = envint("INBETWEEN_PROBE_SECONDS", 60, 1)  # wall and processor time to look into one upload
PROBE_MEMORY_BYTES = envint("INBETWEEN_PROBE_MEMORY_MB", 3072, 512) * 1024 * 1024

# -- What one user may take; 0: as much as there is. The admin can give somebody more or less -------------------------
USER_RUNNING_JOBS = envint("INBETWEEN_USER_RUNNING_JOBS", 0)  # at the same time; the queue is fair without it
USER_QUEUED_JOBS = envint("INBETWEEN_USER_QUEUED_JOBS", 200)
USER_STORAGE_MB = envint("INBETWEEN_USER_STORAGE_MB", 200_000)
USER_UPLOAD_MB = envint("INBETWEEN_USER_UPLOAD_MB", 0)  # below INBETWEEN_MAX_UPLOAD_MB, which holds for all
USER_MEGAPIXELS = envfloat("INBETWEEN_USER_MEGAPIXELS", 36.0)  # of a frame; 8K has 33.2
USER_MINUTES = envfloat("INBETWEEN_USER_MINUTES", 600.0)  # of a source

TRAINING_TIMEOUT = envint("INBETWEEN_TRAINING_TIMEOUT_HOURS", 24 * 7, 1) * 3600  # seconds
TRAINING_THREADS = envint("INBETWEEN_TRAINING_THREADS", max(1, CORES // 2), 1)  # the rest is for jobs
TRAINING_WORKERS = envint("INBETWEEN_TRAINING_WORKERS", 1)  # processes that prepare samples; a GPU wants several
TRAINING_FOR_ALL = envbool("INBETWEEN_TRAINING_FOR_ALL", False)  # else only staff may start training
TRAINING_MAIL = "interpolation.services.notices.mail"  # who wants mail when a run is over, and sends it
TRAINING_UPLOADS = "interpolation.footage.of"  # whose videos may be trained on; the two apps do not know each other
TRAINING_DATA = envpath("INBETWEEN_TRAINING_DATA", DATA_DIR / "data" / "training")  # folders offered on the page
QUEUE_HOLD = "frameinterp_site.holds.held"  # (queue, machine) -> "", "drain" or "pause"
_WAIT = 24 * 3600  # the longest that a message waits behind others in the one place a worker prefetches
Q_CLUSTER: dict[str, Any] = {
    "name": "inbetween",
    "orm": "default",
    "broker_class": "frameinterp_site.broker.ClusterBroker",
    "workers": WORKERS,
    "timeout": JOB_TIMEOUT + int(DISK_WAIT) + 3600,
    "retry": JOB_TIMEOUT + int(DISK_WAIT) + 3600 + _WAIT,
    "max_attempts": 1,
    "ack_failures": True,
    "queue_limit": 1,
    "bulk": 1,
    "poll": 0.1,  # seconds; a look takes about a millisecond
    "catch_up": False,
    "scheduler": False,
    "save_limit": 200,
    "label": "Task queue",
    "ALT_CLUSTERS": {
        "interpolation": {},
        "training": {
            "workers": 1,
            "timeout": TRAINING_TIMEOUT + 3600,
            "retry": TRAINING_TIMEOUT + 3600 + _WAIT,
        },
        "webhooks": {"workers": 1, "timeout": 90, "retry": 180, "poll": 0.5},
    },
}

# -- Words, time, logs -------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = envstr("INBETWEEN_TIME_ZONE", "UTC")
USE_I18N = True
LANGUAGES = [("en-gb", "English")]  # add a language here, and its words with `make messages`
LOCALE_PATHS = [BASE_DIR / "frameinterp_site" / "locale"]
USE_TZ = True

LOG_LEVEL = envstr("INBETWEEN_LOG_LEVEL", "INFO").upper()
LOG_FORMAT = envstr("INBETWEEN_LOG_FORMAT", "line")  # or json
if LOG_FORMAT not in ("line", "json"):
    raise ImproperlyConfigured(f'INBETWEEN_LOG_FORMAT="{LOG_FORMAT}" is neither line nor json.')
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"job": {"()": "frameinterp_site.logs.JobFilter"}},
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s [%(process)d job=%(job)s] %(message)s"},
        "json": {"()": "frameinterp_site.logs.JsonFormatter"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["job"]},
        "file": {
            "class": "frameinterp_site.logs.SharedFileHandler",
            "filename": LOG_DIR / "inbetween.log",
            "delay": True,
            "formatter": LOG_FORMAT,
            "filters": ["job"],
        },
    },
    "root": {"handlers": ["stderr", "file"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"level": LOG_LEVEL, "handlers": [], "propagate": True},
        "django.request": {"level": "ERROR"},
        "axes": {"level": "WARNING"},
        "django-q": {"level": envstr("INBETWEEN_QUEUE_LOG_LEVEL", "WARNING").upper()},
    },
}

"""Every setting of the site, in one file, each read from the environment once.

What each variable means and which of them production insists on: docs/operations.md.
"""

from pathlib import Path

import environ
from celery.schedules import crontab

from config.lib.logging import logging_settings
from config.lib.rates import Rate, parse_rates

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

MODE = env.str("KEEL_MODE", "production")
IN_PRODUCTION = MODE == "production"

SECRET_KEY = env.str("SECRET_KEY", "" if IN_PRODUCTION else "only-for-tests-" + "x" * 40)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Wraps the keys that encrypt personal data; 32 bytes, urlsafe base64.
ENCRYPTION_KEY = env.str("ENCRYPTION_KEY", "" if IN_PRODUCTION else "A" * 43 + "=")
# "1:secret,2:secret": API tokens are digested with the newest pepper, older ones still verify.
TOKEN_PEPPERS = dict(
    item.split(":", 1)
    for item in env.list("TOKEN_PEPPERS", default=[] if IN_PRODUCTION else ["1:only-for-tests"])
)
DEBUG = False
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS",
    default=[] if IN_PRODUCTION else ["localhost", "127.0.0.1", "[::1]", "testserver"],
)
BASE_URL = env.str("BASE_URL", "" if IN_PRODUCTION else "http://localhost:8000").rstrip("/")
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", 0)
APP_DB_ROLE = env.str("APP_DB_ROLE", "keel_app")

INSTALLED_APPS = [
    "people",
    "events",
    "accounts",
    "engagements",
    "projects",
    "metrics",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "csp",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "lucide",
    "rest_framework",
    "template_partials",
]
MIDDLEWARE = [
    "config.lib.request_id.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.lib.headers.HeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.lib.query_tokens.QueryTokenMiddleware",
    "config.pages.HealthMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.lib.htmx.HtmxRedirectMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "people.middleware.SessionLifetimeMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "people.middleware.RoleRequiredMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.errors.ErrorPagesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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
                "config.navigation.navigation",
            ],
            "libraries": {"keel": "config.lib.ui.tags", "sow": "engagements.views.sow_tags"},
            "builtins": ["config.lib.ui.tags"],
        },
    }
]

DATABASES = {
    "default": {
        **env.db("DATABASE_URL", default="postgres:///keel"),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
# The web sets a limit (config/wsgi.py); imports and nightly runs may take their time.
STATEMENT_TIMEOUT = env.str("STATEMENT_TIMEOUT", "0")
DATABASES["default"].setdefault("OPTIONS", {}).update(
    connect_timeout=5,
    options="-c timezone=UTC -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"
    f" -c statement_timeout={STATEMENT_TIMEOUT}",
)
# Lists of the API, files and reports may be read there: config/lib/replica.py.
REPLICA_LAG_SECONDS = env.float("REPLICA_LAG_SECONDS", 10.0)
if env.str("REPLICA_URL", ""):
    DATABASES["replica"] = {
        **env.db("REPLICA_URL"),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 2,
            "options": "-c timezone=UTC -c default_transaction_read_only=on"
            f" -c statement_timeout={STATEMENT_TIMEOUT}",
        },
        "TEST": {"MIRROR": "default"},
    }
    DATABASE_ROUTERS = ["config.lib.replica.Router"]
CACHES = {
    # In the database, so that throttles outlive the broker; nothing hot is kept here.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "keel_cache",
        # Were it to be culled early, a flood of addresses would wash throttles away.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", str(BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [BASE_DIR / "static"]
# Tests take the files from where they are written.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = MODE == "test"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if MODE == "test"
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

AUTH_USER_MODEL = "people.User"
# The address is unique whatever its case: a constraint on lower(email) says so.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTHENTICATION_BACKENDS = ["people.adapters.Backend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# An invitation's link; a person who has a password gets an hour. people.selectors.PasswordLinks
PASSWORD_RESET_TIMEOUT = 7 * 24 * 60 * 60
ACCOUNT_ADAPTER = "people.adapters.AccountAdapter"
ACCOUNT_FORMS = {"reset_password": "people.forms.ResetPasswordForm"}
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "people.selectors.PasswordLinks"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    # The key is (address, e-mail): see people.adapters.
    "login_failed": "20/m/ip,100/h/ip,5/m/key,10/15m/key,20/h/key",
    "reset_password": "20/m/ip,5/h/key",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
}
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_COOKIE_HTTPONLY = False
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 5
FILE_UPLOAD_HANDLERS = [
    "config.lib.uploads.SizeLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
if IN_PRODUCTION:
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    CSRF_COOKIE_SECURE = True
    if TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# What a token, or a signed-in person, may send to the API. See people/throttling.py.
RATES = {
    "read": Rate(600, 60),
    "write": Rate(120, 60),
    "bulk": Rate(60, 60),
    "import": Rate(20, 60),
}
API_RATES = parse_rates(
    env.str("API_RATES", ""),
    defaults=dict.fromkeys(RATES, Rate(1_000_000, 60)) if MODE == "test" else RATES,
)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "people.authentication.TokenAuthentication",
        "people.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["people.authentication.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["people.throttling.RateThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["config.lib.rendering.StrictJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.lib.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.lib.negotiation.StrictNegotiation",
    "DEFAULT_METADATA_CLASS": "config.lib.negotiation.Metadata",
    "DEFAULT_SCHEMA_CLASS": "config.lib.schema.KeelSchema",
    "EXCEPTION_HANDLER": "config.lib.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Keel",
    "DESCRIPTION": "Accounts, their seats and the numbers made from them. See docs/api.md.\n\n"
    "Requests of a token or a signed-in person are limited: "
    + ", ".join(f"{kind} {rate}" for kind, rate in API_RATES.items())
    + ". `RateLimit-Policy` and `RateLimit` tell the limit and what is left; beyond it the answer "
    "is 429 with `Retry-After`.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": ["config.lib.schema.add_problems"],
}

EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Keel <keel@localhost>")

BROKER_URL = env.str("BROKER_URL", "redis://127.0.0.1:6379/0")
# Where requests to the API are counted.
API_RATES_STORAGE = "memory://" if MODE == "test" else BROKER_URL
CELERY_BROKER_URL = BROKER_URL
# Under half the time after which a task without an answer is handed out again: never twice at once.
CELERY_TASK_SOFT_TIME_LIMIT = 1500
CELERY_TASK_TIME_LIMIT = 1560
CELERY_VISIBILITY_TIMEOUT = 3600
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": CELERY_VISIBILITY_TIMEOUT,
    "socket_timeout": 1,
    "socket_connect_timeout": 1,
    "max_retries": 0,
    "interval_start": 0,
    "health_check_interval": 25,
    "unacked_restore_interval": 30,
    "unacked_restore_throttle": 1,
}
# The broker is a doorbell: a page never waits for it, the sweeper rings again.
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 25
CELERY_TIMEZONE = "UTC"
# Which runs of a night that judged a part of the accounts are checked by judging all of them:
# of the "newest" day, of "all" days, or "off".
CHECK_RUNS = env.str("CHECK_RUNS", "newest")
CELERY_BEAT_SCHEDULE = {
    "metrics.nightly": {"task": "metrics.nightly", "schedule": crontab(minute="7")},
    "metrics.figures": {"task": "metrics.figures", "schedule": crontab(minute="11")},
    "metrics.summaries": {"task": "metrics.summaries", "schedule": crontab(minute="*/5")},
    "metrics.health": {"task": "metrics.health", "schedule": crontab(minute="19")},
    "metrics.alerts": {"task": "metrics.alerts", "schedule": crontab(minute="17")},
    "metrics.sweep_backtests": {"task": "metrics.sweep_backtests", "schedule": 60.0},
    "metrics.packs": {"task": "metrics.packs", "schedule": crontab(minute="43")},
    "events.relay_outbox": {"task": "events.relay_outbox", "schedule": 60.0},
    "accounts.sweep_imports": {"task": "accounts.sweep_imports", "schedule": 60.0},
    "accounts.purge_imports": {
        "task": "accounts.purge_imports",
        "schedule": crontab(hour="2", minute="41"),
    },
    "people.forget_old_keys": {
        "task": "people.forget_old_keys",
        "schedule": crontab(minute="37"),
    },
    "engagements.send_digests": {
        "task": "engagements.send_digests",
        "schedule": crontab(minute="3"),
    },
    "engagements.end_risks": {
        "task": "engagements.end_risks",
        "schedule": crontab(minute="13"),
    },
    "engagements.chase_sign_offs": {
        "task": "engagements.chase_sign_offs",
        "schedule": crontab(minute="*/15"),
    },
    "engagements.accept_silent": {
        "task": "engagements.accept_silent",
        "schedule": crontab(minute="23"),
    },
    "engagements.purge_notices": {
        "task": "engagements.purge_notices",
        "schedule": crontab(hour="3", minute="11"),
    },
    "projects.follow_score_policy": {
        "task": "projects.follow_score_policy",
        "schedule": crontab(minute="5"),
    },
    "people.turn_absences": {
        "task": "people.turn_absences",
        "schedule": crontab(minute="2"),
    },
    "people.clear_sessions": {
        "task": "people.clear_sessions",
        "schedule": crontab(hour="3", minute="23"),
    },
}

DJANGO_STRUCTLOG_CELERY_ENABLED = True
LOGGING = logging_settings(env.str("LOG_FORMAT", "json"), env.str("LOG_LEVEL", "INFO"))

"""One line a record, JSON or for a console, from structlog and from the standard library alike."""

import re
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

SECRET_NAMES = re.compile(
    r"password|passwd|secret|token|authorization|cookie|pepper|encryption_key",
    re.IGNORECASE,
)
BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[^\s'\",]+")
API_TOKEN = re.compile(r"\bkeel_([0-9a-f]{12})_[\w-]{20,}")
# What opens a reset link: the time in base 36, then a digest.
ONE_TIME_KEY = re.compile(r"\b[0-9a-z]{6,7}-[0-9a-f]{32}\b")
# What a customer answers by: a link's token, alone or in an address.
LINK_TOKEN = re.compile(r"(/s/)(?!receipt/|<)[^\s/'\"?]+")
# PostgreSQL repeats the row in DETAIL: names and addresses of people would reach the log.
POSTGRES_DETAIL = re.compile(r"^(DETAIL|CONTEXT):.*$", re.MULTILINE)
URL_PASSWORD = re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+@")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def clean(text: str) -> str:
    text = BEARER.sub(r"\1 [withheld]", text)
    text = API_TOKEN.sub(r"keel_\1_[withheld]", text)
    text = ONE_TIME_KEY.sub("[withheld]", text)
    text = LINK_TOKEN.sub(r"\1[withheld]", text)
    text = URL_PASSWORD.sub("[withheld]@", text)
    text = POSTGRES_DETAIL.sub(r"\1: [withheld]", text)
    return CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def withhold_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if name.startswith("_"):
            continue
        if SECRET_NAMES.search(name):
            event[name] = "[withheld]"
        elif isinstance(value, str):
            event[name] = clean(value) if name == "exception" else escape_lines(clean(value))
    return event


def escape_lines(text: str) -> str:
    """A line break in a value must not look like a new record on a console."""
    return text.replace("\n", "\\n")


SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def logging_settings(form: str, level: str = "INFO") -> dict[str, Any]:
    """Django's LOGGING for `form` json or console; sets structlog up on the way."""
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": SHARED,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            withhold_secrets,
            renderer,
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # One line a request comes from config.lib.request_id; Django's own 4xx lines repeat it.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.request": {"level": "ERROR"},
            # A host nobody named: any scanner does that, and the line of the request says 400.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            # django_structlog says the same, with the ids.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "gunicorn.error": {"handlers": [], "propagate": True},
        },
    }

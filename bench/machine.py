"""On what it was measured."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.workers import Worker

SETTINGS = (
    "server_version", "shared_buffers", "work_mem", "max_wal_size", "fsync", "synchronous_commit",
    "full_page_writes", "jit",
)  # fmt: skip


def described(worker: Worker) -> dict[str, Any]:
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB",
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("Django", "djangorestframework", "psycopg2-binary")},
        "PostgreSQL": worker.ask("bench.machine:settings"),
        "load at the start": load(),
    }


def settings() -> dict[str, str]:
    from bench.actions.measuring import execute

    return {name: execute("SELECT current_setting(%s)", [name])[0][0] for name in SETTINGS}


def load() -> str:
    return " ".join(f"{number:.1f}" for number in os.getloadavg())


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()

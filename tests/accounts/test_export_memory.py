"""Memory does not grow with the rows of a file that is written."""

import os
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection

pytestmark = pytest.mark.django_db
MOST_GROWTH_KB = 12_000


def test_ten_times_the_rows_need_hardly_more_memory():
    parts = urlsplit(os.environ.get("DATABASE_URL", "postgres:///keel"))
    url = urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))

    probe = subprocess.run(
        [sys.executable, "-m", "tests.accounts.export_probe"],
        capture_output=True,
        text=True,
        check=False,
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"},
    )

    assert probe.returncode == 0, probe.stderr[-2_000:]
    small, large = map(int, probe.stdout.split())
    assert large - small < MOST_GROWTH_KB, (small, large)

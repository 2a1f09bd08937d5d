"""What a web server loads: `gunicorn config.wsgi`."""

import os

import django

from config import checks
from config.lib.utf8 import Utf8Handler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("STATEMENT_TIMEOUT", "30s")
checks.refuse_to_start_unsafe(with_servers=False)
django.setup(set_prefix=False)
application = Utf8Handler()

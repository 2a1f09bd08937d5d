"""What a web server loads: `gunicorn config.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from config import checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("STATEMENT_TIMEOUT", "30s")
checks.refuse_to_start_unsafe(with_servers=False)
application = get_wsgi_application()

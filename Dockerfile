# syntax=docker/dockerfile:1
# One image for the web server, the worker, beat and the migration: docs/operations.md.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements/uv.txt requirements/runtime.txt /requirements/
RUN pip install --require-hashes -r /requirements/uv.txt \
 && uv pip install --python /opt/venv/bin/python --require-hashes --compile-bytecode -r /requirements/runtime.txt
COPY . /app
WORKDIR /app
# Collecting needs settings, but none of those a running site insists on.
RUN KEEL_MODE=demo STATIC_ROOT=/app/staticfiles /opt/venv/bin/python manage.py collectstatic --no-input --verbosity=0 \
 && /opt/venv/bin/python -m compileall -q /app

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 KEEL_MODE=production STATIC_ROOT=/app/staticfiles
# Papers of customers whose names are not in Latin, Greek or Cyrillic letters.
RUN apt-get update \
 && apt-get install --no-install-recommends --yes fonts-noto-core fonts-noto-cjk \
 && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 keel && useradd --uid 10001 --gid keel --no-create-home --home-dir /nonexistent keel
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["gunicorn", "config.wsgi", "--bind=0.0.0.0:8000", "--worker-class=gthread", "--workers=2", "--threads=8", "--preload", \
     "--worker-tmp-dir=/dev/shm", "--no-control-socket", "--graceful-timeout=25"]

"""What wires the apps together. Importing it makes Celery's tasks known in every process."""

from config.celery import app as celery_app

__all__ = ["celery_app"]

"""Settings, entry points and the kernel. Names every app as text and imports none of them."""

from ispbilling.celery import app as celery_app

__all__ = ["celery_app"]

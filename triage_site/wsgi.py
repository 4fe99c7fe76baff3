"""The WSGI entry point for gunicorn."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.wsgi import get_wsgi_application
from dotenv import load_dotenv

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "triage_site.settings")
load_dotenv(Path(__file__).resolve().parent.parent / ".env")

application = get_wsgi_application()

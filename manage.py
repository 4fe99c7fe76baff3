#!/usr/bin/env python
"""Django's command line; reads .env beside this file before anything else."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "triage_site.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from dotenv import load_dotenv
    except ImportError as error:
        raise SystemExit(f"{error}. Run `make install` first, then use .venv/bin/python manage.py …") from error
    load_dotenv(Path(__file__).resolve().parent / ".env")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # The message says what to set; forty lines of Django's own calls above it would hide that.
        raise SystemExit(f"Configuration: {error}") from None


if __name__ == "__main__":
    main()

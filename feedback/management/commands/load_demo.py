from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from feedback import intake
from feedback.forms import FeedbackForm

DEMO = Path(__file__).resolve().parents[2] / "demo.jsonl"


class Command(BaseCommand):
    help = "Submit a small made-up demo through the real intake, marked synthetic; a second time changes nothing."

    def handle(self, **options: Any) -> None:
        now, stored = timezone.now(), 0
        rows = [json.loads(line) for line in DEMO.read_text(encoding="utf-8").splitlines()]
        for number, row in enumerate(rows, start=1):
            receipt = intake.receive(
                form=FeedbackForm(row | {"rating": row["rating"] or ""}),
                source="demo",
                external_id=f"demo-{number}",
                received_at=now - timedelta(hours=row["hours"]),
                synthetic=True,
            )
            stored += receipt.created
        self.stdout.write(f"Demo: {stored} of {len(rows)} made-up submissions stored, marked synthetic.")

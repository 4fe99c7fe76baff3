"""The widget is a file that knows nothing of the server: what it repeats of ours must stay what we say."""

from __future__ import annotations

import re
from pathlib import Path

from django.contrib.staticfiles import finders
from django.test import Client

from feedback.choices import FormType
from feedback.forms import RATINGS, FeedbackForm

SOURCE = Path(str(finders.find("feedback/widget.js"))).read_text(encoding="utf-8")


def test_its_types_are_those_of_the_form() -> None:
    block = SOURCE[SOURCE.index("TYPES = [") : SOURCE.index("];")]
    assert re.findall(r'\["(\w*)", "([^"]+)"\]', block) == [("", "Choose…"), *FormType.choices]


def test_its_words_are_those_of_the_form() -> None:
    assert all(f'"{text}"' in SOURCE for _, text in RATINGS)
    assert all(str(FeedbackForm.base_fields[name].label) in SOURCE for name in ("rating", "type", "comment"))


def test_the_page_on_show_gives_the_line_to_copy(client: Client) -> None:
    page = client.get("/feedback/widget/").content.decode()
    line = '&lt;script src="http://testserver/static/feedback/widget.js" defer data-label="Feedback"&gt;'
    assert line in page

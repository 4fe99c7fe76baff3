"""Notes are kept with an item as they were written."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError

from analyzer import events
from analyzer.models import Event
from tests import make

pytestmark = pytest.mark.django_db


def test_a_note_is_kept_with_its_author_and_the_newest_is_read_first(ada: User, mia: User) -> None:
    item = make.item()
    events.add_note(item=item, by=ada, text="  Called them back. \n")
    events.add_note(item=item, by=mia, text="<b>They answered</b>")
    events.add_note(item=make.item("Another"), by=mia, text="Elsewhere")
    assert [(event.by, event.text) for event in events.history(item)] == [
        (mia, "<b>They answered</b>"),
        (ada, "Called them back."),
    ]


@pytest.mark.parametrize("text", ["", " \n ", "x" * 2_001])
def test_an_empty_or_endless_note_is_refused_on_its_field(ada: User, text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        events.add_note(item=make.item(), by=ada, text=text)
    assert set(refused.value.message_dict) == {"text"}
    assert not Event.objects.exists()


def test_a_viewer_may_not_write_notes(ben: User) -> None:
    with pytest.raises(PermissionDenied):
        events.add_note(item=make.item(), by=ben, text="Hello")

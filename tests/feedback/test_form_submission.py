"""What the public form takes, refuses and keeps."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from feedback.models import COMMENT_MAX, Feedback

pytestmark = pytest.mark.django_db


def send(client: Client, **fields: Any) -> Any:
    return client.post("/feedback/", fields)


def stored() -> Feedback:
    return Feedback.objects.get()


def test_what_was_written_is_stored_as_form_feedback(client: Client) -> None:
    response = send(
        client, type="bug", rating="2", comment="The coupon field is dead", page="/checkout", viewport="390x844"
    )
    assert (response.status_code, response["Location"]) == (302, "/feedback/thanks/?page=%2Fcheckout")
    row = stored()
    assert (row.source, row.type, row.rating, row.page) == ("form", "bug", 2, "/checkout")
    assert (row.comment, row.viewport) == ("The coupon field is dead", "390x844")
    assert row.client_key


@pytest.mark.parametrize("fields", [{"rating": "5"}, {"comment": "Thanks for the new search"}])
def test_a_rating_or_a_comment_is_enough(client: Client, fields: dict[str, str]) -> None:
    assert send(client, **fields).status_code == 302
    assert Feedback.objects.count() == 1


def test_personal_details_are_gone_before_the_row_is_stored(client: Client) -> None:
    send(client, comment="Write to mara.voss@mail.example about the refund page")
    assert "mara.voss" not in stored().comment
    assert stored().pii


@pytest.mark.parametrize("fields", [{}, {"comment": "  \n "}, {"rating": "", "comment": ""}])
def test_nothing_to_read_is_refused_with_a_way_to_mend_it(client: Client, fields: dict[str, str]) -> None:
    response = send(client, **fields)
    assert response.status_code == 422
    page = response.content.decode()
    assert '<a href="#comment">Please write a comment or choose a rating.</a>' in page
    assert 'aria-invalid="true"' in page
    assert re.search(r'aria-describedby="comment-error [^"]*"', page)
    assert 'id="comment-error"' in page
    assert not Feedback.objects.exists()


def test_a_comment_that_is_too_long_is_refused_and_kept(client: Client) -> None:
    text = "long " * 1_200
    response = send(client, comment=text, rating="3", type="feature")
    assert response.status_code == 422
    page = response.content.decode()
    assert "please shorten it to 5000" in page
    assert text in page
    assert re.search(r'value="3" id="rating-3" checked', page)
    assert '<option value="feature" selected>' in page


def test_a_line_break_counts_as_the_one_character_the_visitor_typed(client: Client) -> None:
    text = "Broken\r\n" * (COMMENT_MAX // 7)
    assert len(text) > COMMENT_MAX
    assert send(client, comment=text).status_code == 302
    assert "\r" not in stored().comment


def test_emoji_are_stored_as_they_came(client: Client) -> None:
    send(client, comment="The new dashboard 👩‍💻🎉 is ace")
    assert stored().comment == "The new dashboard 👩‍💻🎉 is ace"


def test_text_that_reorders_itself_is_stored_plain_and_flagged(client: Client) -> None:
    send(client, comment="Invoice \u202egpj.exe cannot be opened")
    assert stored().comment == "Invoice gpj.exe cannot be opened"
    assert stored().findings


@pytest.mark.parametrize("comment", ["\x00\x01\x02\x03" * 20, "a comment with \x00 inside"])
def test_binary_is_refused_by_rule_and_never_breaks(client: Client, comment: str) -> None:
    response = send(client, comment=comment)
    assert response.status_code == 422
    assert 'id="comment-error"' in response.content.decode()
    assert not Feedback.objects.exists()


def test_bytes_that_are_no_utf_8_do_not_break_the_form(client: Client) -> None:
    response = client.post(
        "/feedback/", b"rating=4&comment=%ff%fe%fa", content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code in (302, 422)


def test_a_script_in_a_comment_is_stored_as_text_and_shown_escaped(client: Client) -> None:
    script = '</textarea><script>alert("x")</script> appears on the profile page'
    send(client, comment=script)
    assert stored().comment == script
    page = send(client, comment=script, type="nonsense").content.decode()
    assert "<script>alert" not in page
    assert "&lt;/textarea&gt;&lt;script&gt;alert" in page


def test_a_type_that_does_not_exist_is_refused_by_name(client: Client) -> None:
    page = send(client, comment="Hello there", type="<b>complaint</b>").content.decode()
    assert 'href="#type"' in page
    assert "&lt;b&gt;complaint&lt;/b&gt;" in page


@pytest.mark.parametrize("rating", ["0", "6", "4.5", "five", "-1", "٣"])
def test_a_rating_that_is_no_star_is_refused(client: Client, rating: str) -> None:
    response = send(client, comment="Hello there", rating=rating)
    assert response.status_code == 422
    assert 'href="#rating-1"' in response.content.decode()


def test_a_refusal_by_the_rules_says_why_and_keeps_the_text(client: Client) -> None:
    text = " ".join(f"https://site{number}.example/buy" for number in range(30))
    response = send(client, comment=text, page="/blog")
    assert response.status_code == 422
    page = response.content.decode()
    assert "Please keep the links that matter" in page
    assert "https://site29.example/buy" in page
    assert "About: <bdi>/blog</bdi>" in page


def test_a_double_click_stores_one_row(client: Client) -> None:
    once = str(uuid.uuid4())
    for _ in range(2):
        assert send(client, comment="Search finds nothing", once=once).status_code == 302
    assert Feedback.objects.count() == 1


def test_going_back_and_saying_more_stores_that_too(client: Client) -> None:
    once = str(uuid.uuid4())
    send(client, comment="Search finds nothing", once=once)
    for _ in range(2):
        send(client, comment="Search finds nothing, and filters are gone", once=once)
    assert Feedback.objects.count() == 2, "a double click on what was changed is one thing said, too"


def test_each_copy_of_the_form_is_its_own_and_not_shared_by_caches(client: Client) -> None:
    first, second = client.get("/feedback/"), client.get("/feedback/")
    names = [re.search(r'name="once" value="([^"]+)"', page.content.decode()) for page in (first, second)]
    assert all(names)
    assert names[0][1] != names[1][1]
    assert first["Cache-Control"] == "private"


def test_the_form_names_every_control_and_needs_nothing_inline(client: Client) -> None:
    page = client.get("/feedback/").content.decode()
    for name in ("rating-1", "rating-5", "rating-none", "type", "comment"):
        assert f'<label for="{name}"' in page
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src)", page)
    assert "maxlength" not in page


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_not_allowed(client: Client, method: str) -> None:
    assert getattr(client, method)("/feedback/").status_code == 405

"""Reports that say nearly the same find each other when they are analysed, and stand further in front together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from analyzer import analyses, priority, reviews, similar, standing, tasks
from analyzer.models import Analysis, Fingerprint, QueueItem, ReportGroup
from feedback.models import Feedback
from tests import make
from tests.databases import ON_MONGODB

BUTTON = "The checkout button does nothing when I click it on my phone in Safari"
COPIES = (
    "the CHECKOUT button does nothing, when I click it on my phone in Safari!!!",
    "The checkout button does nothing when i clikc it on my phone in Safari",
    "Hello, the checkout button does nothing when I click it on my phone in Safari",
    "The checkout button does nothing when I click it on my tablet in Safari",
)
OTHERS = (
    "The search box on the help page finds nothing when I look for invoices",
    "Please add a dark mode",
    "Thank you, the new checkout is lovely on my phone",
    "???",
    "",
)


def analysed(comment: str, **values: Any) -> QueueItem:
    """An item as a worker leaves it: compared with the others first, then analysed."""
    names = {field.name for field in Analysis._meta.get_fields()}
    said = make.feedback(comment, rating=3, **{name: value for name, value in values.items() if name not in names})
    make.compare(QueueItem.objects.select_related("feedback").get(pk=said.pk))
    said.refresh_from_db()
    make.analysis(said, **{name: value for name, value in values.items() if name in names})
    return now(QueueItem(pk=said.pk))


def now(item: QueueItem) -> QueueItem:
    return QueueItem.objects.select_related("feedback", "analysis", "review").get(pk=item.pk)


@pytest.mark.django_db
@pytest.mark.parametrize("copy", COPIES)
def test_a_near_copy_joins_the_report_that_it_repeats(copy: str) -> None:
    first, second = analysed(BUTTON), analysed(copy)
    assert now(first).group_id == second.group_id is not None
    assert (now(first).similar, second.similar) == (1, 1)


@pytest.mark.django_db
def test_different_reports_stay_apart_and_so_do_empty_ones() -> None:
    for comment in (BUTTON, *OTHERS, ""):
        analysed(comment)
    assert {item.similar for item in QueueItem.objects.all()} == {0}
    assert not ReportGroup.objects.exists()


@pytest.mark.django_db
def test_a_comment_without_a_letter_has_copies_too() -> None:
    assert [analysed("!!! ???").similar for _ in range(2)] == [0, 1]
    assert analysed("👍👍").similar == 0


@pytest.mark.django_db
def test_every_member_says_how_many_others_there_are() -> None:
    items = [analysed(comment) for comment in (BUTTON, *COPIES)]
    assert {now(item).similar for item in items} == {4}
    assert ReportGroup.objects.get().size == len(items)


@pytest.mark.django_db
def test_a_report_made_up_for_the_demo_never_counts_as_a_real_one() -> None:
    real, made_up = analysed(BUTTON), analysed(BUTTON, synthetic=True)
    assert (now(real).similar, made_up.similar) == (0, 0)
    assert analysed(BUTTON, synthetic=True).similar == 1
    assert now(real).similar == 0


@pytest.mark.django_db
def test_exact_copies_leave_one_fingerprint_and_are_found_all_the_same() -> None:
    for _ in range(6):
        last = analysed(BUTTON)
    assert last.similar == 5
    assert Fingerprint.objects.count() == 1


@pytest.mark.django_db
def test_looking_again_changes_nothing_and_makes_good_what_was_cut_short() -> None:
    first, second = analysed(BUTTON), analysed(COPIES[1])
    before = list(QueueItem.objects.order_by("pk").values("group__size", "priority", "rank"))
    for item in (first, second):
        make.compare(now(item))
    assert list(QueueItem.objects.order_by("pk").values("group__size", "priority", "rank")) == before
    # Cut short between being counted and moving the others forward.
    QueueItem.objects.filter(pk=first.pk).update(priority=first.priority - 1)
    make.compare(now(second))
    assert now(first).priority == before[0]["priority"]


@pytest.mark.django_db
def test_two_copies_that_were_analysed_at_the_same_moment_end_in_one_group() -> None:
    """Each worker has stored its fingerprint and read the other item before either has a group."""
    one, two = (make.feedback(comment).queue_item for comment in (BUTTON, COPIES[1]))
    for item in (one, two):
        similar.mark(item)
    stale = QueueItem.objects.select_related("feedback").get(pk=two.pk)
    similar.find(one)
    similar.find(stale)
    group = ReportGroup.objects.get()
    assert {(now(item).group, now(item).similar) for item in (one, two)} == {(group, 1)}


@pytest.mark.django_db
def test_more_reports_move_the_waiting_ones_forward_and_say_why() -> None:
    first = analysed(BUTTON, severity="medium")
    before = Analysis.objects.filter(pk=first.analysis.pk).values().get()
    for number in range(3):
        analysed(f"{BUTTON} {number}", severity="medium")
    after = now(first)
    assert after.priority == first.priority + 2
    assert after.rank < first.rank
    points, reasons = standing.priority_of(after, None)
    assert points == after.priority
    assert "3 similar reports" in {reason.label for reason in reasons}
    assert Analysis.objects.filter(pk=first.analysis.pk).values().get() == before, "an analysis is never changed"


@pytest.mark.django_db
def test_a_decided_item_is_counted_but_stands_where_the_person_put_it(ada: User) -> None:
    first = analysed(BUTTON)
    reviews.override(analysis=first.analysis, by=ada, severity="low", priority=17)
    decided = now(first)
    analysed(COPIES[0])
    after = now(first)
    assert after.similar == 1
    assert (after.priority, after.rank, after.category) == (17, decided.rank, decided.category)


@pytest.mark.django_db
def test_undoing_a_decision_puts_the_item_where_the_number_of_reports_puts_it_now(ada: User) -> None:
    first = analysed(BUTTON, severity="medium")
    review = reviews.validate(analysis=first.analysis, by=ada)
    for number in range(3):
        analysed(f"{BUTTON} {number}", severity="medium")
    assert reviews.undo(review=review, by=ada).priority == first.priority + 2


@pytest.mark.django_db
def test_the_worker_counts_similar_reports_before_it_analyses() -> None:
    make.working_version()
    first, second = make.feedback(BUTTON), make.feedback(BUTTON)
    for said in (first, second):
        assert tasks.analyze_feedback(str(said.pk))
    analysis = now(second.queue_item).analysis
    assert "1 similar report" in {reason["label"] for reason in analysis.priority_reasons}
    assert now(first.queue_item).priority == now(second.queue_item).priority == analysis.priority
    assert now(first.queue_item).analysis.priority < analysis.priority


def analysed_while(said: Feedback, act: Callable[[], Any], patch: pytest.MonkeyPatch) -> QueueItem:
    """The item of a feedback after its analysis, during which something happened between rollout and storing."""
    from analyzer import rollout

    run = rollout.run

    def meanwhile(*arguments: Any) -> Any:
        outcome = run(*arguments)
        patch.undo()
        act()
        return outcome

    patch.setattr(rollout, "run", meanwhile)
    assert tasks.analyze_feedback(str(said.pk))
    return now(said.queue_item)


@pytest.mark.django_db
def test_a_report_that_comes_during_an_analysis_is_counted_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    make.working_version()
    first = make.feedback(BUTTON)
    analysed(BUTTON)

    def another_comes() -> None:
        analysed(BUTTON)
        make.compare(now(first.queue_item))

    item = analysed_while(first, another_comes, monkeypatch)
    assert item.similar == 2
    assert item.priority == standing.priority_of(item, None)[0] > item.analysis.priority


@pytest.mark.django_db
def test_a_first_report_counts_the_copies_that_came_while_it_was_analysed(monkeypatch: pytest.MonkeyPatch) -> None:
    make.working_version()
    first = make.feedback(BUTTON)
    item = analysed_while(first, lambda: tasks.analyze_feedback(str(make.feedback(BUTTON).pk)), monkeypatch)
    assert item.similar == 1
    assert item.priority == standing.priority_of(item, None)[0] > item.analysis.priority


@pytest.mark.django_db
def test_members_of_two_groups_stay_where_they_are() -> None:
    one, other = (make.item(f"{name} {BUTTON}").pk for name in ("First", "Second"))
    for key in (one, other):
        QueueItem.objects.filter(pk=key).update(group=ReportGroup.objects.create(pk=key, size=1))
    stale = QueueItem.objects.select_related("feedback").get(pk=one)
    similar.mark(QueueItem(pk=other, feedback=now(QueueItem(pk=other)).feedback, request=1, attempts=1))
    stale.group = None
    similar.find(stale)
    assert dict(ReportGroup.objects.values_list("pk", "size")) == {one: 1, other: 1}


@pytest.mark.django_db
def test_who_is_left_alone_in_a_group_can_be_analysed_again() -> None:
    make.working_version()
    first, second = make.feedback(BUTTON), make.feedback(BUTTON)
    for said in (first, second):
        assert tasks.analyze_feedback(str(said.pk))
    first.delete()
    assert analyses.request(items=QueueItem.objects.all(), queue=False) == 1
    assert tasks.analyze_feedback(str(second.pk))
    assert now(second.queue_item).similar == 0


@pytest.mark.django_db
def test_a_group_ends_with_its_last_member() -> None:
    items = [analysed(comment) for comment in (BUTTON, *COPIES[:2])]
    for left, item in zip((1, 0), items, strict=False):
        item.feedback.delete()
        assert now(items[2]).similar == left
    items[2].feedback.delete()
    assert not ReportGroup.objects.exists()


@pytest.mark.django_db
def test_erasing_a_report_leaves_no_fingerprint_of_it() -> None:
    item = analysed(BUTTON)
    item.feedback.delete()
    assert not Fingerprint.objects.exists()


@pytest.mark.django_db
def test_an_edited_report_leaves_the_group_of_what_it_said_before_and_joins_another() -> None:
    make.working_version()
    first, second, third, other = (make.feedback(text) for text in (BUTTON, BUTTON, COPIES[1], OTHERS[0]))
    for said in (first, second, third, other):
        assert tasks.analyze_feedback(str(said.pk))
    assert now(third.queue_item).similar == 2
    make.revise(first, f"{OTHERS[0]}!")
    assert [now(said.queue_item).similar for said in (first, second, third, other)] == [0, 1, 1, 0]
    assert tasks.analyze_feedback(str(first.pk))
    assert [now(said.queue_item).similar for said in (first, second, third, other)] == [1, 1, 1, 1]
    assert now(first.queue_item).group == now(other.queue_item).group
    assert analysed(BUTTON).similar == 2, "the words that only its fingerprint told of are still found"


@pytest.mark.django_db
def test_an_edit_of_case_and_punctuation_leaves_a_report_in_its_group() -> None:
    first, second = analysed(BUTTON), analysed(COPIES[1])
    make.revise(first.feedback, BUTTON.upper() + "!")
    assert now(first).group == now(second).group
    assert now(second).similar == 1


@pytest.mark.django_db
def test_a_worker_that_read_the_old_words_puts_the_report_nowhere() -> None:
    analysed(BUTTON)
    stale = make.feedback(COPIES[1]).queue_item
    similar.mark(stale)
    make.revise(stale.feedback, OTHERS[0])
    similar.find(stale)
    assert now(stale).group is None
    assert not ReportGroup.objects.exists()


@pytest.mark.django_db
def test_an_edit_that_leaves_no_word_leaves_no_fingerprint() -> None:
    item = analysed(BUTTON)
    make.revise(item.feedback, "")
    assert not Fingerprint.objects.exists()


@pytest.mark.django_db
def test_joining_costs_the_same_number_of_queries_in_a_large_group(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    def cost(comment: str) -> int:
        said = make.feedback(comment)
        item = QueueItem.objects.select_related("feedback").get(pk=said.pk)
        with django_assert_num_queries(100, exact=False) as queries:
            make.compare(item)
        return len(queries)

    for _ in range(18):
        analysed(BUTTON)
    small = cost(BUTTON)
    for _ in range(20):
        analysed(BUTTON)
    # MongoDB's transactions are queries of their own.
    assert cost(BUTTON) == small <= (12 if ON_MONGODB else 10)


@pytest.mark.django_db(transaction=True)
def test_the_groups_of_a_desk_of_before_are_counted() -> None:
    for comment in (BUTTON, *COPIES[:2], *OTHERS, OTHERS[0]):
        analysed(comment)
    before = dict(QueueItem.objects.values_list("pk", "group__size"))
    assert set(before.values()) == {None, 2, 3}
    try:
        call_command("migrate", "analyzer", "0006", verbosity=0)
    finally:
        call_command("migrate", verbosity=0)
    assert dict(QueueItem.objects.values_list("pk", "group__size")) == before


@pytest.mark.django_db(transaction=True)
def test_a_count_that_was_cut_off_is_made_again_from_the_start() -> None:
    """MongoDB has no transaction around a migration, so that the groups may be there before it counts as made."""
    for comment in (BUTTON, *COPIES[:2]):
        analysed(comment)
    (key,) = set(QueueItem.objects.values_list("group", flat=True))
    try:
        call_command("migrate", "analyzer", "0007", verbosity=0)
        ReportGroup.objects.filter(pk=key).update(size=7)
        assert ReportGroup.objects.count() == 1
    finally:
        call_command("migrate", verbosity=0)
    assert list(ReportGroup.objects.values_list("pk", "size")) == [(key, 3)]


@given(st.text(max_size=300))
@settings(max_examples=60)
def test_any_text_gives_the_same_eight_numbers_each_time_or_none(comment: str) -> None:
    bands = similar.fingerprint(comment)
    assert bands == similar.fingerprint(comment)
    if bands is None:
        assert not comment.strip()
    else:
        assert len(bands) == 8
        assert all(-(2**63) <= number < 2**63 for number in bands.values())


@given(st.lists(st.sampled_from(["pay", "now", "help", "page", "blank", "phone"]), min_size=3, max_size=12))
def test_case_space_and_punctuation_do_not_count(words: list[str]) -> None:
    assert similar.fingerprint(" ".join(words)) == similar.fingerprint("... ".join(words).upper() + "!\n")


@pytest.mark.parametrize("text", ["a" * 5_000, "a " * 2_500, "?!" * 2_500, " ".join(map(str, range(1_000)))])
def test_the_longest_comment_leaves_a_fingerprint(text: str) -> None:
    assert len(set(similar.fingerprint(text).values())) == 8


def test_points_for_similar_reports_grow_and_end() -> None:
    points = [priority.similar_points(similar_reports) for similar_reports in (0, 1, 3, 7, 15, 1_000)]
    assert points == [0, 1, 2, 3, 4, 4]

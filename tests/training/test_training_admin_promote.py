"""Going live from the page of a run: one click past the gate, a page that asks without it, managers only."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from analyzer import versions
from analyzer.models import AnalyzerVersion
from tests.training import make_runs
from training.models import TrainingRun

pytestmark = pytest.mark.django_db


def address(run: TrainingRun, what: str) -> str:
    return f"/admin/training/trainingrun/{run.pk}/{what}/"


def active() -> AnalyzerVersion:
    return AnalyzerVersion.objects.get(status="active")


def test_one_click_promotes_a_candidate_that_passed_and_leaves_a_record(client: Client, mia: User) -> None:
    run = make_runs.run()
    client.force_login(mia)
    html = client.get(address(run, "change")).content.decode()
    assert f"Promote {run.candidate}</button>" in html
    answer = client.post(address(run, "promote"), follow=True).content.decode()
    assert active() == run.candidate
    assert "is active: the next analysis uses it." in answer
    assert "Promoted after it passed the gate by mia" in answer
    assert "Promotion record" in answer
    assert f"Promote {run.candidate}</button>" not in answer, "there is nothing left to promote"
    run.refresh_from_db()
    assert (run.outcome, run.approved_by) == ("promoted", mia)


def test_a_candidate_that_did_not_pass_is_promoted_only_after_a_page_with_the_reasons(
    client: Client, mia: User
) -> None:
    run = make_runs.run(better=False)
    before = active()
    client.force_login(mia)
    html = client.get(address(run, "change")).content.decode()
    assert "Promote anyway…</a>" in html
    assert f"Promote {run.candidate}</button>" not in html
    refused = client.post(address(run, "promote"), follow=True).content.decode()
    assert "did not pass the gate" in refused
    assert active() == before
    asked = client.get(address(run, "promote-anyway")).content.decode()
    assert all(reason.split(":")[0] in asked for reason in run.gate["reasons"])
    assert active() == before, "looking changes nothing"
    answer = client.post(address(run, "promote-anyway"), follow=True).content.decode()
    assert active() == run.candidate
    assert "Promoted past the gate by mia" in answer
    assert "promoted past the gate</span>" in answer


def test_a_promotion_is_taken_back_by_activating_the_version_before(client: Client, mia: User) -> None:
    run = make_runs.run(better=False)
    before = active()
    client.force_login(mia)
    client.post(address(run, "promote-anyway"))
    client.post(f"/admin/analyzer/analyzerversion/{before.pk}/activate/")
    assert active() == before


def test_a_candidate_that_was_compared_with_another_version_than_the_active_one_is_not_promoted_by_one_click(
    client: Client, mia: User
) -> None:
    run = make_runs.run()
    other = versions.activate(version=make_runs.version(), by=None)
    client.force_login(mia)
    html = client.get(address(run, "change")).content.decode()
    assert "is active now: train again" in html
    assert "Promote anyway…</a>" in html
    assert "train again" in client.post(address(run, "promote"), follow=True).content.decode()
    assert active() == other
    assert "Nobody knows whether it is better" in client.get(address(run, "promote-anyway")).content.decode()


def test_a_stopped_runs_candidate_was_never_compared_and_the_page_says_so(client: Client, mia: User) -> None:
    run = make_runs.run(status="stopped", outcome="", metrics={}, gate={})
    client.force_login(mia)
    assert "was never compared on held-out items" in client.get(address(run, "promote-anyway")).content.decode()


def test_there_is_nothing_to_promote_without_a_candidate_or_twice(client: Client, mia: User) -> None:
    run = make_runs.run(candidate=None)
    client.force_login(mia)
    assert "Promote" not in client.get(address(run, "change")).content.decode()
    assert "This run made no candidate." in client.get(address(run, "promote-anyway")).content.decode()
    assert "made no candidate" in client.post(address(run, "promote"), follow=True).content.decode()
    live = make_runs.run()
    client.post(address(live, "promote"))
    assert "is active already" in client.post(address(live, "promote"), follow=True).content.decode()


def test_a_version_that_could_not_analyse_anything_is_refused(client: Client, mia: User) -> None:
    run = make_runs.run(candidate=make_runs.version(weights=b""))
    client.force_login(mia)
    assert "has no weights" in client.post(address(run, "promote"), follow=True).content.decode()
    run.refresh_from_db()
    assert run.outcome == "proposed"


@pytest.mark.parametrize("name", ["ada", "ben"])
def test_who_is_no_manager_sees_no_button_and_is_refused(
    client: Client, name: str, request: pytest.FixtureRequest
) -> None:
    run, refused = make_runs.run(), make_runs.run(better=False)
    before = active()
    client.force_login(request.getfixturevalue(name))
    for one in (run, refused):
        assert "Promote" not in client.get(address(one, "change")).content.decode()
        assert client.post(address(one, "promote")).status_code == 403
        assert client.post(address(one, "promote-anyway")).status_code == 403
        assert client.get(address(one, "promote-anyway")).status_code == 403
    assert active() == before


def test_a_link_cannot_promote(client: Client, mia: User) -> None:
    run = make_runs.run()
    client.force_login(mia)
    assert client.get(address(run, "promote")).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(mia)
    assert strict.post(address(run, "promote")).status_code == 403
    assert active() != run.candidate

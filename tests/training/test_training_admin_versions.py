"""A version's page says how good it is and which run measured it, though analyzer itself knows no training."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from analyzer import versions
from analyzer.models import AnalyzerVersion
from tests.training import make_runs

pytestmark = pytest.mark.django_db


def page(client: Client, user: User, version: AnalyzerVersion) -> str:
    client.force_login(user)
    answer = client.get(f"/admin/analyzer/analyzerversion/{version.pk}/change/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_candidate_links_to_its_run_with_figures_and_drawings(client: Client, ben: User) -> None:
    run = make_runs.run()
    html = page(client, ben, run.candidate)
    assert f'Measured as the candidate in <a href="/admin/training/trainingrun/{run.pk}/change/">run 1</a>' in html
    assert re.findall(r'<svg [^>]*aria-labelledby="(\w+)-title', html) == ["reliability", "confusion", "coverage"]
    report, _, _ = make_runs.judged()
    assert f"<b>{100 * report['accuracy']:.1f} %</b>" in html


def test_the_version_it_was_compared_with_has_figures_of_its_own(client: Client, ben: User) -> None:
    run = make_runs.run()
    html = page(client, ben, run.active)
    _, old, _ = make_runs.judged()
    assert "Measured as the active version in" in html
    assert f"<b>{100 * old['accuracy']:.1f} %</b>" in html


def test_a_version_that_only_shares_weights_with_a_measured_one_says_where_they_come_from(
    client: Client, ben: User
) -> None:
    made = make_runs.version(weights=b"learned")
    run = make_runs.run(candidate=made)
    other = versions.create(engine="cascade", origin="local", weights=b"learned", parent=made)
    html = page(client, ben, other)
    assert "It was not measured itself" in html
    assert f'<a href="/admin/training/trainingrun/{run.pk}/change/">run 1</a>' in html
    assert "<svg class" not in html


def test_the_hundreds_of_numbers_that_a_run_stored_are_not_listed(client: Client, ben: User) -> None:
    report, _, _ = make_runs.judged()
    stored = {"run": 1, "validation": {"reward": 0.8}, "test": report}
    html = page(client, ben, make_runs.run(candidate=make_runs.version(metrics=stored)).candidate)
    assert "reliability&#x27;" not in html
    assert "test · confusion" not in html


def test_a_version_that_nobody_measured_says_so(client: Client, ben: User) -> None:
    assert "No training run has measured this version yet." in page(client, ben, make_runs.active())


def test_the_page_still_activates_and_rolls_back(client: Client, mia: User) -> None:
    run = make_runs.run()
    assert f"/admin/analyzer/analyzerversion/{run.candidate_id}/activate/" in page(client, mia, run.candidate)
    client.post(f"/admin/analyzer/analyzerversion/{run.candidate_id}/activate/")
    run.candidate.refresh_from_db()
    assert run.candidate.status == "active"


def test_the_list_of_versions_reads_no_reports(client: Client, ben: User, django_assert_max_num_queries: Any) -> None:
    for _ in range(3):
        make_runs.run()
    client.force_login(ben)
    with django_assert_max_num_queries(8):
        assert client.get("/admin/analyzer/analyzerversion/").status_code == 200

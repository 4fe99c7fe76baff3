"""The page of one run: what it found, why it may go live or not, and its log; all of it as text, never as markup."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from analyzer.prompts import BUILT_IN
from tests.training import make_runs
from training.models import TrainingRun

pytestmark = pytest.mark.django_db
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def address(run: TrainingRun, what: str = "change") -> str:
    return f"/admin/training/trainingrun/{run.pk}/{what}/"


def page(client: Client, user: User, run: TrainingRun) -> str:
    client.force_login(user)
    answer = client.get(address(run))
    assert answer.status_code == 200
    return answer.content.decode()


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_finished_run_shows_figures_of_both_versions_with_intervals_and_n(client: Client, ben: User) -> None:
    run = make_runs.run()
    said = text(page(client, ben, run))
    report, old, word = make_runs.judged()
    for name, label in (("accuracy", "Right category"), ("macro_f1", "Macro-F1"), ("ece", "ECE (less is better)")):
        figures = [report["intervals"][name], old["intervals"][name]]
        both = [f"{100 * f['value']:.1f} % {100 * f['low']:.1f} to {100 * f['high']:.1f}" for f in figures]
        assert f"{label} {both[0]} {both[1]}" in said
    delta = word["deltas"]["macro_f1"]
    assert f"+{100 * delta['value']:.1f} +{100 * delta['low']:.1f} to +{100 * delta['high']:.1f} {make_runs.N}" in said
    f1 = report["per_class"]["noise"]["f1"]
    assert f"{100 * f1:.1f} %" in said[said.index("By category") :]


def test_a_finished_run_has_all_its_drawings_and_each_id_once(client: Client, ben: User) -> None:
    html = page(client, ben, make_runs.run())
    assert re.findall(r'<svg [^>]*aria-labelledby="(\w+)-title', html) == [
        "comparison",
        "learning",
        "reliability",
        "confusion",
        "coverage",
    ]
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_the_data_and_how_it_was_made_are_there(client: Client, ben: User, mia: User) -> None:
    said = text(page(client, ben, make_runs.run(started_by=mia, usage={"calls": 12, "prompt_tokens": 3400})))
    assert make_runs.DATASET["digest"] in said
    assert "decisions 390 90 120 4" in said
    assert "received from 2 Mar 2026, 00:00 10 Apr 2026, 09:30 1 May 2026, 12:00" in said
    assert "Website bug 200 0 0" in said
    assert "accepted in bulk 0 0 0 4" in said
    assert "local 81.0 % +20.0 90 setting no synthetic examples" in said
    assert "minimum 50" in said
    assert "rollouts" not in said, "left to the default"
    assert "few shot yes" in said
    assert "prompt tokens 3400" in said
    assert "by mia" in said


def test_the_verdict_is_said_in_words(client: Client, ben: User) -> None:
    better, worse = make_runs.run(), make_runs.run(better=False)
    assert "Passed the gate: a manager may promote it" in page(client, ben, better)
    refused = page(client, ben, worse)
    assert "No change: the candidate did not pass the gate" in refused
    for reason in worse.gate["reasons"]:
        assert escape(reason) in refused


def test_a_failed_run_gives_the_reason_and_draws_nothing(client: Client, ben: User) -> None:
    nothing: dict[str, Any] = {"outcome": "", "metrics": {}, "gate": {}, "curve": [], "dataset": {}, "candidate": None}
    run = make_runs.run(status="failed", error="All 40 rollouts failed.", **nothing)
    html = page(client, ben, run)
    assert "Failed: nothing was changed" in html
    assert "All 40 rollouts failed." in html
    assert "Nothing was measured on held-out items in this run." in html
    assert "The run ended before its data was read." in html
    assert "<svg class" not in html


def test_a_stopped_run_keeps_what_it_found(client: Client, ben: User) -> None:
    run = make_runs.run(status="stopped", outcome="", metrics={}, gate={}, error="Stopped on request.")
    html = page(client, ben, run)
    assert "Stopped before the end" in html
    assert str(run.candidate) in html


def test_a_run_that_goes_on_shows_its_log_and_follows_it(client: Client, ben: User) -> None:
    run = make_runs.running(log="12:00:00 begins\n")
    html = page(client, ben, run)
    assert "Still running" in html
    assert f'data-follow="{address(run, "log")}" data-end="16"' in html
    assert '<noscript><meta http-equiv="refresh"' in html
    finished = page(client, ben, make_runs.run())
    assert "data-follow" not in finished
    assert "http-equiv" not in finished


def test_a_run_whose_process_died_is_closed_by_looking_at_it(client: Client, ben: User) -> None:
    run = make_runs.running(host="elsewhere", beat_at=timezone.now() - timedelta(minutes=5))
    assert "No sign of life since" in page(client, ben, run)
    run.refresh_from_db()
    assert run.status == "failed"


def test_the_log_is_read_from_where_the_page_stands(client: Client, ben: User) -> None:
    run = make_runs.running(log="eins\nzwei – drei\n")
    client.force_login(ben)
    assert client.get(address(run, "log") + "?from=5").json() == {"running": True, "log": "zwei – drei\n", "end": 17}
    assert client.get(address(run, "log") + "?from=rubbish").json()["log"] == run.log
    TrainingRun.objects.update(status="finished")
    assert client.get(address(run, "log") + "?from=17").json() == {"running": False, "log": "", "end": 17}


def test_the_log_is_for_those_who_may_see_runs(client: Client, cy: User) -> None:
    run = make_runs.running()
    client.force_login(cy)
    assert client.get(address(run, "log")).status_code == 302
    staff = User.objects.create_user("dan", password="x", is_staff=True)
    client.force_login(staff)
    assert client.get(address(run, "log")).status_code == 403
    assert client.get(address(run)).status_code == 403


def test_a_new_prompt_is_shown_against_the_old_one(client: Client, ben: User) -> None:
    prompt = BUILT_IN.rstrip() + "\nAsk yourself who has to act.\n"
    run = make_runs.run(candidate=make_runs.version(engine="llm", origin="apo", prompt=prompt))
    html = page(client, ben, run)
    assert "+ Ask yourself who has to act." in text(html)
    same = make_runs.run(candidate=make_runs.version(engine="llm", origin="local"))
    assert "Both say the same." in page(client, ben, same)
    assert "Prompt of" not in page(client, ben, make_runs.run()), "a local version asks no model"


def test_nothing_that_a_model_or_a_visitor_wrote_becomes_markup(client: Client, ben: User) -> None:
    report, old, _ = make_runs.judged()
    run = make_runs.run(
        algorithm=f"local{EVIL}"[:40],
        log=EVIL,
        error=EVIL,
        gate={"promote": False, "reasons": [EVIL]},
        metrics={
            "candidate": report | {"confusion": {EVIL: {EVIL: 3}}, "per_class": {EVIL: {"n": 3, "f1": 0.5}}},
            "active": old,
            "validation": {EVIL: {"reward": 0.5, "n": 1, "gain": 0.1, "note": EVIL}},
        },
        dataset=make_runs.DATASET | {"digest": EVIL, "classes": {"train": {EVIL: 1}}},
        parameters={EVIL: EVIL},
        usage={EVIL: 1},
        host=EVIL,
        candidate=make_runs.version(
            engine="llm", origin="apo", prompt=BUILT_IN.replace("people decide", f"{EVIL} decide") + EVIL
        ),
    )
    html = page(client, ben, run)
    assert "<script>" not in html
    assert "<img" not in html
    assert html.count("&lt;script&gt;alert(1)") >= 12
    assert "<mark>&lt;script&gt;" in html


def test_the_page_carries_no_inline_style_and_no_inline_script(client: Client, mia: User) -> None:
    html = page(client, mia, make_runs.run())
    assert not re.search(r'\sstyle=|<style|\son[a-z]+="|javascript:', html)
    assert all("src=" in script for script in re.findall(r"<script[^>]*>", html))


def test_a_report_of_another_release_does_not_break_the_page(client: Client, ben: User) -> None:
    run = make_runs.run(
        metrics={"candidate": {"accuracy": "high"}, "active": None, "validation": {"local": "fine"}},
        gate={"promote": True},
        dataset={"n": {"train": None}, "classes": {}},
        curve=[{"n": "many"}],
        parameters={},
    )
    assert "Nothing was measured on held-out items in this run." in page(client, ben, run)


def test_a_run_that_is_not_there_leads_back_to_the_list(client: Client, ben: User) -> None:
    client.force_login(ben)
    for key in ("0190a000-0000-7000-8000-000000000000", "rubbish"):
        answer = client.get(f"/admin/training/trainingrun/{key}/change/", follow=True)
        assert answer.redirect_chain[-1][0] == "/admin/training/trainingrun/"
        assert "There is no such run" in answer.content.decode()


def test_a_page_costs_the_same_whatever_the_run_found(
    client: Client, mia: User, django_assert_num_queries: Any
) -> None:
    runs = [make_runs.run(started_by=mia), make_runs.run(better=False, candidate=None), make_runs.running()]
    client.force_login(mia)
    for run in runs:
        with django_assert_num_queries(7):
            client.get(address(run))

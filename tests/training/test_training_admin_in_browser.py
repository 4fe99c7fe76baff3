"""Training in a real browser: nothing is blocked, text stays readable at any width, and a running run is followed."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser import sign_in
from tests.training import make_runs
from training.models import TrainingRun

pytestmark = pytest.mark.django_db(transaction=True)
# Height of each text on the page in pixels, as it is drawn.
TEXT_SIZES = """() => [...document.querySelectorAll("svg.plot text")].map((text) =>
  parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getScreenCTM().a)"""
# How light a text and what lies behind it are, by the formula of WCAG; the drawings lie on their panel.
CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const light = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return [...document.querySelectorAll("svg.plot .plot-text, svg.plot .plot-name")].map((text) => {
    const ink = light(getComputedStyle(text).fill);
    const paper = light(getComputedStyle(text.closest(".panel")).backgroundColor);
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  });
}"""


def address(live_server: LiveServer, run: TrainingRun | None = None) -> str:
    return f"{live_server.url}/admin/training/trainingrun/" + (f"{run.pk}/change/" if run else "")


@pytest.mark.parametrize("width", [320, 390, 900, 1440])
def test_every_text_of_a_drawing_is_twelve_pixels_or_more_and_nothing_is_wider_than_the_window(
    page: Page, live_server: LiveServer, ben: User, width: int
) -> None:
    run = make_runs.run()
    sign_in(page, live_server.url, ben)
    page.set_viewport_size({"width": width, "height": 900})
    for where in (address(live_server, run), address(live_server)):
        page.goto(where)
        assert page.evaluate('document.getElementById("content").scrollWidth') <= width
    page.goto(address(live_server, run))
    sizes = page.evaluate(TEXT_SIZES)
    assert len(sizes) > 60
    assert 12 <= min(sizes) <= max(sizes) < 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_drawings_can_be_read_in_the_light_and_in_the_dark(
    page: Page, live_server: LiveServer, ben: User, scheme: str
) -> None:
    run = make_runs.run()
    sign_in(page, live_server.url, ben)
    page.emulate_media(color_scheme=scheme)
    page.goto(address(live_server, run))
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 50
    assert min(contrasts) >= 4.5


def test_a_running_run_is_followed_to_its_end(page: Page, live_server: LiveServer, ben: User) -> None:
    run = make_runs.running(log="12:00:00 begins\n")
    sign_in(page, live_server.url, ben)
    page.clock.install()
    page.goto(address(live_server, run))
    log = page.get_by_role("log")
    expect(log).to_have_text("12:00:00 begins\n")
    TrainingRun.objects.update(log="12:00:00 begins\n12:00:03 <b>bold</b> –\n")
    page.clock.run_for(3_000)
    expect(log).to_contain_text("12:00:03 <b>bold</b> –")
    TrainingRun.objects.update(log="12:00:00 begins\n12:00:03 <b>bold</b> –\n12:00:06 more\n")
    page.clock.run_for(3_000)
    expect(log).to_contain_text("12:00:06 more")
    assert log.inner_text().count("12:00:03") == 1
    TrainingRun.objects.update(status="finished", outcome="no-change")
    page.clock.run_for(3_000)
    expect(page.get_by_text("No change: the candidate did not pass the gate")).to_be_visible()


def test_a_manager_promotes_with_one_click(page: Page, live_server: LiveServer, mia: User) -> None:
    run = make_runs.run()
    sign_in(page, live_server.url, mia)
    page.goto(address(live_server, run))
    page.get_by_role("button", name=f"Promote {run.candidate}").click()
    expect(page.get_by_text("Promoted after it passed the gate by mia")).to_be_visible()


def test_the_page_of_a_version_is_drawn_without_complaint(page: Page, live_server: LiveServer, ben: User) -> None:
    run = make_runs.run()
    sign_in(page, live_server.url, ben)
    page.goto(f"{live_server.url}/admin/analyzer/analyzerversion/{run.candidate_id}/change/")
    drawing = page.get_by_role("img", name="Confusion matrix")
    expect(drawing).to_be_visible()
    page.get_by_text("All 60 points").click()
    expect(page.get_by_role("region", name="Coverage and precision: all points")).to_be_visible()

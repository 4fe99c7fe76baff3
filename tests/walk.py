"""A measured walk: how many decisions a minute a browser makes by keyboard, on items whose labels are known.

    .venv/bin/python -m tests.walk LABELLED.jsonl --url http://127.0.0.1:8000 --user staff --items 200

For a running desk that has these items undecided (import_feedback LABELLED.jsonl, without --labelled). It keeps what
is right and corrects what is wrong as fast as the page lets it, so it says what the desk allows, not how fast people
are.
Not a test: it decides what it meets, and nothing is asserted of its times.
"""

from __future__ import annotations

import argparse
import getpass
import json
import statistics
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests import chromium

KEYS = {
    "website-bug": "1",
    "framework-issue": "2",
    "content-gap": "3",
    "feature-request": "4",
    "positive": "5",
    "noise": "6",
}
# The page takes no decision on a card that nobody can have read yet.
SETTLE_MS = 260
# The server's part of the last request of this page, in milliseconds.
SERVER = """() => {
  const last = performance.getEntriesByType("resource").filter((one) => one.initiatorType === "fetch").at(-1);
  return last ? last.responseStart - last.requestStart : 0;
}"""


def labels(file: Path) -> dict[str, str]:
    """Category by comment, spaces folded as the page folds them."""
    rows = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip())
    return {" ".join((row["comment"] or "").split()): row["category"] for row in rows}


def decide(page: Page, known: dict[str, str]) -> tuple[str, float, float]:
    """Decide the item that is shown; what was done, the milliseconds until the next card, the server's part of them."""
    title = page.locator("#focus-words").inner_text()
    right = known.get(" ".join(title.split()))
    suggested = page.locator("input[data-suggested][name=category]").get_attribute("value")
    page.wait_for_timeout(SETTLE_MS)
    keys = ["s"] if right is None else ["Enter"] if right == suggested else [KEYS[right], "Enter"]
    before = page.locator("#focus-part").element_handle()
    started = time.perf_counter()
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_function("(old) => !old.isConnected", arg=before)
    took = 1000 * (time.perf_counter() - started)
    done = "skipped" if right is None else "kept" if right == suggested else "corrected"
    return done, took, page.evaluate(SERVER)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--user", default="staff")
    parser.add_argument("--items", type=int, default=200)
    given = parser.parse_args()
    password = sys.stdin.readline().strip() if not sys.stdin.isatty() else getpass.getpass()
    known = labels(given.file)
    walked: list[tuple[str, float, float]] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.path(), args=chromium.FLAGS)
        page = browser.new_page()
        page.goto(
            f"{given.url}/admin/login/?next=/admin/analyzer/queueitem/review/%3F_changelist_filters=source%253Dreal"
        )
        page.fill("#id_username", given.user)
        page.fill("#id_password", password)
        page.click("[type=submit]")
        page.wait_for_selector("#focus-part")
        started = time.perf_counter()
        while len(walked) < given.items and page.locator("#save").count():
            walked.append(decide(page, known))
        seconds = time.perf_counter() - started
        browser.close()
    decided = [one for one in walked if one[0] != "skipped"]
    if not decided:
        print("No item of this file was waiting to be decided.")
        return 1
    counts = {name: sum(one[0] == name for one in walked) for name in ("kept", "corrected", "skipped")}
    print(f"{len(decided)} decisions ({counts}) in {seconds:.0f} s: {60 * len(decided) / seconds:.0f} a minute")
    for name, place in (("from key to next card", 1), ("of it the server", 2)):
        times = sorted(one[place] for one in decided)
        p95 = times[min(len(times) - 1, int(0.95 * len(times)))]
        print(f"{name}: median {statistics.median(times):.0f} ms, p95 {p95:.0f} ms, n {len(times)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

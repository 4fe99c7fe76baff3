"""The machine's own Chromium: where it is, and how it starts in a container."""

from __future__ import annotations

import os
import shutil

# Each leaves the network or a sandbox that containers lack alone; none changes how a page is drawn.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def path() -> str | None:
    """CHROMIUM where it is set, else what the machine has installed."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)

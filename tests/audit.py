"""Known vulnerabilities in what is installed, by pip-audit; says plainly when nobody could be asked.

python -m tests.audit                       # an advisory service that does not answer is a failure
python -m tests.audit --where-reachable     # for a machine without the internet: says "not audited", and goes on
python -m tests.audit --osv-url URL         # another service than PyPI's, speaking OSV's protocol
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.audit", description=__doc__.splitlines()[0])
    parser.add_argument("--where-reachable", action="store_true")
    parser.add_argument("--osv-url")
    chosen = parser.parse_args(arguments)
    found, error = ask(chosen.osv_url)
    asked = [package for package in found if "skip_reason" not in package]
    if not asked:
        print(f"NOT AUDITED: the advisory service knew none of what is installed, or did not answer. {error}".rstrip())
        return 0 if chosen.where_reachable else 1
    for package in found:
        if reason := package.get("skip_reason"):
            print(f"not audited: {reason}")
    vulnerable = [package for package in asked if package["vulns"]]
    for package in vulnerable:
        for flaw in package["vulns"]:
            fixed = ", ".join(flaw["fix_versions"]) or "no release yet"
            print(f"{package['name']} {package['version']}: {flaw['id']}, fixed in {fixed}")
    print(f"{len(asked)} of {len(found)} packages audited, {len(vulnerable)} with known vulnerabilities.")
    return 1 if vulnerable else 0


def ask(osv_url: str | None) -> tuple[list[dict[str, Any]], str]:
    """What pip-audit says of each package, and its last line of complaint; no package where the service is away."""
    service = ["--vulnerability-service", "osv", "--osv-url", osv_url] if osv_url else []
    command = [sys.executable, "-m", "pip_audit", "--skip-editable", "--progress-spinner", "off", "--format", "json"]
    done = subprocess.run(
        [*command, *service],
        capture_output=True,
        text=True,
        check=False,
    )
    complaint = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""
    try:
        return json.loads(done.stdout)["dependencies"], ""
    except json.JSONDecodeError:
        return [], complaint


if __name__ == "__main__":
    sys.exit(main())

"""The walls of the house, read off the source: who may import whom, and what stays out of where."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("feedback", "analyzer", "training", "triage_site")
ALLOWED = {
    "feedback": set(),
    "analyzer": {"feedback"},
    "training": {"feedback", "analyzer"},
}
LIGHTNING = {
    "analyzer/rollout.py",
    "analyzer/shared_store.py",
    "analyzer/store_server.py",
    "training/lightning.py",
}
PURE = (
    "feedback/governance",
    "analyzer/engines",
    "analyzer/taxonomy.py",
    "analyzer/schema.py",
    "analyzer/prompts.py",
    "analyzer/priority.py",
    "analyzer/rewards.py",
    "analyzer/floor.py",
    "analyzer/boundaries.py",
    "analyzer/actions.py",
    "analyzer/verdict.py",
    "analyzer/cold_start",
    "analyzer/adapters.py",
    "training/finetune",
)
EXTRAS = {"torch", "transformers", "trl", "peft", "accelerate", "datasets", "llguidance"}


def sources(*folders: str) -> list[Path]:
    found: list[Path] = []
    for folder in folders:
        path = ROOT / folder
        found += [path] if path.suffix == ".py" else sorted(path.rglob("*.py"))
    return [path for path in found if "migrations" not in path.parts]


def imports(path: Path) -> set[str]:
    """Every module a file imports, at the top or inside a function."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def roots(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("app", ALLOWED)
def test_imports_run_in_one_direction(app: str) -> None:
    for path in sources(app):
        foreign = roots(path) & set(APPS) - {app} - ALLOWED[app]
        assert not foreign, f"{relative(path)} imports {foreign}"


def test_agent_lightning_is_known_to_few_files_only() -> None:
    users = {relative(path) for path in sources(*APPS) if roots(path) & {"agentlightning", "agentops", "litellm"}}
    assert users <= LIGHTNING


def test_the_openai_client_is_known_to_engines_and_training_algorithms_only() -> None:
    users = {relative(path) for path in sources(*APPS) if "openai" in roots(path)}
    assert all(user.startswith(("analyzer/engines/", "training/")) for user in users), users


def test_the_extras_of_fine_tuning_are_known_to_its_own_package_only() -> None:
    users = {relative(path) for path in sources(*APPS) if roots(path) & EXTRAS}
    # verl/ready.py runs on the cluster.
    assert all(user.startswith(("training/finetune/", "training/verl/ready.py")) for user in users), users


def test_the_pure_core_knows_neither_the_orm_nor_django() -> None:
    for path in sources(*PURE):
        assert "django" not in roots(path), relative(path)
        ours = {name for name in imports(path) if name.split(".")[0] in APPS}
        assert not any(name.endswith(".models") for name in ours), relative(path)


def test_no_module_is_a_drawer() -> None:
    drawers = {"utils.py", "helpers.py", "services.py", "managers.py", "misc.py", "common.py"}
    assert not [relative(path) for path in sources(*APPS, "tests") if path.name in drawers]


def test_the_web_process_imports_no_heavy_library() -> None:
    """Every page of the admin and the public face is reachable with these modules alone."""
    script = (
        "import sys, triage_site.wsgi\n"
        "from django.urls import get_resolver\n"
        "get_resolver().url_patterns\n"
        "from django.contrib import admin\n"
        "admin.site.get_urls()\n"
        "heavy = {'agentlightning', 'sklearn', 'torch', 'litellm', 'openai', 'numpy', 'scipy'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

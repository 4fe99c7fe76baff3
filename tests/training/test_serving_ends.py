"""A served model starts or says why not, and is gone when nobody needs it, however its parent went."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from tests import processes
from tests.training.tiny_server import Files
from training.finetune.server import Served, ServingFailed, running, serving

pytestmark = pytest.mark.finetune

ROOT = Path(__file__).resolve().parents[2]


def test_it_is_gone_after_the_block_and_after_an_error_in_it(tiny_files: Files) -> None:
    found: list[int] = []

    def break_off() -> None:
        with running(base_model=str(tiny_files.base), adapter=tiny_files.adapter, name="m") as served:
            found.append(served.pid)
            assert processes.alive(served.pid)
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert not processes.alive(found[0])


@pytest.mark.parametrize("loaded", [True, False], ids=["serving", "loading"])
def test_it_is_gone_when_its_parent_is_killed(tiny_files: Files, loaded: bool) -> None:
    script = textwrap.dedent(f"""
        from training.finetune.server import serving
        with serving(base_model={str(tiny_files.base)!r}, adapter=None, name="m") as url:
            print(url, flush=True)
            input()
    """)
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        if loaded:
            assert parent.stdout is not None
            assert parent.stdout.readline().startswith("http://127.0.0.1:")
        (server,) = processes.wait_for(lambda: processes.children(parent.pid))
        # That it is the server, and past the moment in which it is still a copy of its parent.
        assert processes.wait_for(lambda: "training.finetune.completions" in psutil.Process(server).cmdline())
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert processes.wait_for(lambda: not processes.alive(server))
    finally:
        parent.kill()
        parent.communicate()


def test_a_server_that_dies_is_noticed_with_what_it_said(tiny_files: Files) -> None:
    with running(base_model=str(tiny_files.base), adapter=None, name="m") as served:
        served.check()
        os.kill(served.pid, signal.SIGKILL)
        # It counts as ended when its last thread is; its first one is a zombie earlier.
        assert "was killed, which the system does when memory runs out" in processes.wait_for(lambda: failure(served))


def failure(served: Served) -> str:
    try:
        served.check()
    except ServingFailed as failed:
        return str(failed)
    return ""


def test_a_taken_port_is_said_at_once(tiny_files: Files) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(ServingFailed, match=f"Port {port} on 127.0.0.1 cannot be used"),
            serving(base_model=str(tiny_files.base), adapter=None, name="m", port=port),
        ):
            pass


def test_a_port_that_is_asked_for_is_used(tiny_files: Files) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serving(base_model=str(tiny_files.base), adapter=None, name="m", port=port) as url:
        assert url == f"http://127.0.0.1:{port}/v1"


@pytest.mark.parametrize("left", [["adapter_config.json"], ["adapter_model.safetensors"], []])
def test_an_adapter_without_its_files_is_named_before_anything_starts(
    tiny_files: Files, tmp_path: Path, left: list[str]
) -> None:
    for name in left:
        shutil.copy(tiny_files.adapter / name, tmp_path)
    with (
        pytest.raises(ServingFailed, match=f"no adapter in {tmp_path}"),
        serving(base_model=str(tiny_files.base), adapter=tmp_path, name="m"),
    ):
        pass


def test_a_model_that_cannot_be_loaded_is_one_sentence(tiny_files: Files, tmp_path: Path) -> None:
    with (
        pytest.raises(ServingFailed, match=f"base model in {tmp_path} cannot be loaded") as failed,
        serving(base_model=str(tmp_path), adapter=tiny_files.adapter, name="m"),
    ):
        pass
    assert "Traceback" not in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_model_that_takes_too_long_is_given_up_and_gone(tiny_files: Files) -> None:
    before = set(processes.children(os.getpid()))
    with (
        pytest.raises(ServingFailed, match="did not answer within"),
        serving(base_model=str(tiny_files.base), adapter=None, name="m", timeout=0.2),
    ):
        pass
    assert set(processes.children(os.getpid())) <= before

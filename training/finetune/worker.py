"""Works off a job directory: python -m training.finetune.worker DIRECTORY. Needs no Django and no database.

Several GPUs: accelerate launch -m training.finetune.worker DIRECTORY. Started again it goes on from the last
checkpoint. SIGTERM and SIGINT end it in order: the step that is under way is finished, a checkpoint written.
Exit codes: 0 done; 3 ended in order before the end; 1 failed, with the reason as the last line of log.jsonl.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from training.finetune.job import DONE, EXAMINATION, FAILED, GRACE, STOPPED, BadJob, Directory, Job
from training.finetune.log import Log
from training.finetune.rows import Row

# Set before torch, transformers and trl are imported: nobody is told anything, and nobody waits by spinning.
ENVIRONMENT: Final = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.finetune.worker", description=__doc__)
    parser.add_argument("directory", type=Path, help="Holds job.json, train.jsonl and validation.jsonl.")
    parser.add_argument(
        "--with-parent", action="store_true", help="End in order when standard input closes, as it does with a parent."
    )
    given = parser.parse_args(arguments)
    directory = Directory(given.directory.resolve())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, frame: _told(stop, signum, frame))
    if given.with_parent:
        threading.Thread(target=_follow, args=(stop,), daemon=True, name="follow-parent").start()
    try:
        job = directory.job()
        lock = _alone(directory)
    except BadJob as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    try:
        return _work(directory, job, stop)
    finally:
        os.close(lock)


def _work(directory: Directory, job: Job, stop: threading.Event) -> int:
    """Import what is heavy, train, and tell every end in the log."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if "LOCAL_RANK" not in os.environ:
        # One process uses one GPU; more are for accelerate launch.
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
    log = Log(directory.log)
    log.write(event="started", pid=os.getpid())
    try:
        from training.finetune.progress import Collapsed
    except ImportError as error:
        log.write(event="failed", reason=f"The extras are missing: {error}. See requirements-finetune.txt.")
        raise
    try:
        finished = _train(directory, job, log, stop)
    except (Collapsed, BadJob, ValueError) as error:
        log.write(event="failed", reason=str(error))
        sys.stderr.write(f"{error}\n")
        return FAILED
    except Exception as error:
        log.write(event="failed", reason=_words(error))
        raise
    log.write(event="done" if finished else "stopped")
    return DONE if finished else STOPPED


def _train(directory: Directory, job: Job, log: Log, stop: threading.Event) -> bool:
    """Whether it came to the end, with the adapter published; raises what _work tells."""
    import datasets
    import transformers

    from training.finetune import checkpoints, loading, probe, trainers
    from training.finetune.progress import Collapsed, Progress

    transformers.logging.set_verbosity_error()
    datasets.disable_progress_bars()
    transformers.set_seed(job.seed)
    on = loading.hardware()
    log.say(f"{job.method} of {job.base_model} on {on}; seed {job.seed}")
    tokenizer = loading.tokenizer_of(job.base_model)
    prepared = trainers.Prepared(directory, job, tokenizer)
    prepared.check()
    log.say(
        f"{len(prepared)} rows, the longest {prepared.longest} tokens"
        + (f"; {prepared.too_long} left out, longer than {job.max_length}" if prepared.too_long else "")
    )
    sequences = _of_this_process(job)
    model = loading.with_adapter(loading.model_of(job.base_model, on.dtype), job, directory.start)
    planned = loading.plan(
        model, job, on, sequences=sequences, prompt=prepared.longest_prompt, longest=prepared.longest
    )
    log.say(
        f"memory: about {planned.needed / 1e9:.2f} GB for {planned.at_once} sequences at once, "
        f"{planned.times} times a step{', activations recomputed' if planned.recompute else ''}; "
        f"{loading.check_disk(directory, planned)}"
    )
    validation = _probed(directory, job)
    trainer = trainers.trainer_of(directory, job, model, tokenizer, prepared, planned, bf16=on.bf16)

    def examine(step: int) -> None:
        if validation and trainer.is_world_process_zero():
            answers = probe.ask(
                trainer.accelerator.unwrap_model(trainer.model), tokenizer, validation, max_answer=job.max_answer
            )
            log.write(event="probe", step=step, **probe.report(validation, answers, seed=job.seed))

    examination = list(directory.rows(EXAMINATION)) if directory.rows_file(EXAMINATION).exists() else []

    def examine_all(step: int) -> None:
        if examination and trainer.is_world_process_zero():
            log.say(f"examination on {len(examination)} rows")
            unwrapped = trainer.accelerator.unwrap_model(trainer.model)
            answers = probe.ask(unwrapped, tokenizer, examination, max_answer=job.max_answer)
            probe.keep(directory.answers_file(step), examination, answers)
            log.write(event="examined", step=step, **probe.report(examination, answers, seed=job.seed))

    progress = Progress(job, log, stop, examine, sequences=job.batch)
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.add_callback(progress)
    checkpoint = checkpoints.newest(directory.checkpoints)
    if checkpoint:
        log.say(f"goes on from step {checkpoints.step(checkpoint)}")
    elif not stop.is_set():
        examine(0)
        examine_all(0)
    if stop.is_set():
        return False
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    seconds = time.monotonic() - started
    if progress.collapsed:
        raise Collapsed(progress.collapsed)
    if trainer.state.global_step < trainer.state.max_steps:
        return False
    examine(trainer.state.global_step)
    if trainer.is_world_process_zero():
        checkpoints.publish(trainer.accelerator.unwrap_model(trainer.model), directory.adapter)
    log.say(f"{trainer.state.global_step} steps done, the last of them in {seconds:.0f} s")
    examine_all(trainer.state.global_step)
    return True


def _probed(directory: Directory, job: Job) -> list[Row]:
    """The first validation rows; they come in a drawn order."""
    found: list[Row] = []
    for row in directory.rows("validation"):
        if len(found) == job.probe:
            break
        found.append(row)
    return found


def _of_this_process(job: Job) -> int:
    """How many of a step's sequences fall to this process; raises BadJob."""
    sequences = job.batch * (job.group_size if job.method == "grpo" else 1)
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if sequences % processes:
        raise BadJob(f"A step of {sequences} sequences cannot be shared by {processes} processes: change --batch.")
    return sequences // processes


def _alone(directory: Directory) -> int:
    """A lock on the directory, held until the process ends; raises BadJob when another worker has it."""
    handle = os.open(directory.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    if os.environ.get("RANK", "0") == "0":
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadJob(f"Another worker is at work in {directory.path}.") from None
    return handle


def _told(stop: threading.Event, signum: int, frame: FrameType | None) -> None:
    stop.set()


def _follow(stop: threading.Event) -> None:
    """Wait for standard input to close: then the parent is gone, and so shall we be."""
    # Not sys.stdin, whose lock this thread would hold when the interpreter ends.
    while os.read(0, 4096):
        pass
    stop.set()
    time.sleep(GRACE)
    os._exit(FAILED)


def _words(error: Exception) -> str:
    """An error of a library for staff: its first line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


if __name__ == "__main__":
    sys.exit(main())

"""Comments for a run, without end and without near-copies, made of halves of our own synthetic examples."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from analyzer import cold_start


def synthetic() -> Iterator[str]:
    """The first half of one example and the second half of another, no pair twice: what a person's would be in length.

    Speed does not depend on sense, but it does on near-copies, which are counted and moved together.
    """
    words = [example.comment.split() for example in cold_start.load() if len(example.comment.split()) >= 8]
    for turn in count(1):
        for place, first in enumerate(words):
            second = words[(place + turn) % len(words)]
            yield " ".join((*first[: len(first) // 2], *second[len(second) // 2 :]))

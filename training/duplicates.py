"""Which comments say the same: so that no near-copy of a training item ever sits in the examination."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import TfidfVectorizer

ALIKE: Final = 0.85
# Rows compared at once: 500 of 20,000 comments hold about 120 MB of similarities.
CHUNK: Final = 500
# So many different texts are compared each with each, which takes some ten seconds; of more only likely pairs are.
EVERY_PAIR: Final = 20_000
# MinHash: texts that have a share J of their pieces in common meet with the chance 1 - (1 - J**4)**32, which is 0.87 at
# J = 0.5 and 0.999 at 0.7; texts with nothing to do with each other almost never.
BANDS: Final = 32
ROWS: Final = 4
# Pairs whose vectors are multiplied at once.
PAIRS: Final = 50_000
_WORD: Final = re.compile(r"\w+")


def groups(texts: Sequence[str]) -> list[int]:
    """A group number per text, counted from 0 in order of first appearance; near-copies share one.

    Near means a cosine of at least ALIKE between TF-IDF vectors of four-character pieces, and chains count: a copy of
    a copy belongs. Case, space and punctuation do not count. Empty texts are each a group of their own.

    Up to EVERY_PAIR different texts no near-copy is missed, and time grows with the square. Of more, a pair that shares
    about half of its pieces or less may be missed, and time and memory grow with the number: see docs/scale.md.
    """
    plain = [" ".join(_WORD.findall(text.casefold())) or text.strip() for text in texts]
    distinct = sorted({text for text in plain if text})
    number = dict(zip(distinct, _components(distinct), strict=True)) if distinct else {}
    seen: dict[tuple[str, int], int] = {}
    return [
        seen.setdefault(("copies", number[text]) if text else ("alone", position), len(seen))
        for position, text in enumerate(plain)
    ]


def _components(texts: list[str]) -> list[int]:
    """The connected component of each text in the graph whose edges are near-copies."""
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 4), dtype=np.float32).fit_transform(texts)
    pairs = _every_pair(vectors) if len(texts) <= EVERY_PAIR else _likely_pairs(vectors)
    start, end = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
    graph = coo_matrix((np.ones(len(start), dtype=np.int8), (start, end)), shape=(len(texts), len(texts)))
    _, components = connected_components(graph, directed=False)
    return [int(component) for component in components]


def _every_pair(vectors: Any) -> Iterator[tuple[Any, Any]]:
    """The near-copies among all pairs, as places of the one and the other."""
    columns = vectors.T.tocsr()
    for first in range(0, vectors.shape[0], CHUNK):
        # What stands before the chunk was compared with it already.
        alike = (vectors[first : first + CHUNK] @ columns[:, first:]).tocoo()
        near = alike.data >= ALIKE
        yield alike.row[near] + first, alike.col[near] + first


def _likely_pairs(vectors: Any) -> Iterator[tuple[Any, Any]]:
    """The near-copies among the pairs that MinHash puts side by side; the same for the same texts."""
    yield np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    # A text without any piece of four characters has nothing to compare.
    rows = np.flatnonzero(np.diff(vectors.indptr))
    chance = np.random.default_rng(1)
    for _ in range(BANDS):
        lowest = np.zeros(len(rows), dtype=np.uint64)
        for _ in range(ROWS):
            order = chance.permutation(vectors.shape[1]).astype(np.uint32)
            least = np.minimum.reduceat(order[vectors.indices], vectors.indptr[rows])
            # Two different rows of least values give the same number once in 2**64.
            lowest = lowest * np.uint64(0x9E3779B97F4A7C15) + least + np.uint64(1)
        by_value = np.argsort(lowest, kind="stable")
        meet = np.flatnonzero(lowest[by_value][1:] == lowest[by_value][:-1])
        starts, ends = rows[by_value[meet]], rows[by_value[meet + 1]]
        for first in range(0, len(starts), PAIRS):
            start, end = starts[first : first + PAIRS], ends[first : first + PAIRS]
            alike = np.asarray(vectors[start].multiply(vectors[end]).sum(axis=1)).ravel()
            yield start[alike >= ALIKE], end[alike >= ALIKE]

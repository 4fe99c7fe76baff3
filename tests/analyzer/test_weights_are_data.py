"""Weights are numbers and names: they survive the trip, cannot execute, and anything else is refused in words."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzer import cold_start
from analyzer.engines import EngineError
from analyzer.engines.local import LocalEngine, LocalModel, fit_cold_start, weights

COMMENTS = ["The app crashes when I pay", "Please add a dark mode", "Great, thank you!", "", "漢字"]
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return fit_cold_start(cold_start.load()[::6])


@pytest.fixture(scope="module")
def data(model: LocalModel) -> bytes:
    return model.to_bytes()


class Boom:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


def test_the_probabilities_are_equal_after_the_trip(model: LocalModel, data: bytes) -> None:
    types, ratings = ["bug", "", "general", "research", ""], [1, None, 5, 4, None]
    before, after = (each.probabilities(COMMENTS, types, ratings) for each in (model, LocalModel.from_bytes(data)))
    assert np.array_equal(before[0], after[0])
    assert np.array_equal(before[1], after[1])


def test_the_calibration_record_makes_the_trip(model: LocalModel, data: bytes) -> None:
    assert LocalModel.from_bytes(data).calibration == model.calibration


def test_the_bytes_are_equal_after_the_trip(data: bytes) -> None:
    assert LocalModel.from_bytes(data).to_bytes() == data


def test_the_shipped_examples_give_small_weights() -> None:
    assert len(fit_cold_start(cold_start.load()).to_bytes()) < 3 * MIB


def test_every_stored_array_holds_plain_numbers(data: bytes) -> None:
    payload = data[len(weights.MAGIC) + weights.DIGEST_SIZE :]
    with np.load(io.BytesIO(payload), allow_pickle=False) as stored:
        assert {stored[name].dtype.kind for name in stored.files} <= {"f", "u"}


def test_a_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    target = tmp_path / "executed"
    with pytest.raises(EngineError, match="another format"):
        LocalEngine.from_bytes(pickle.dumps(Boom(target)))
    assert not target.exists()


def test_a_pickle_inside_well_formed_weights_is_refused_and_not_run(model: LocalModel, tmp_path: Path) -> None:
    target = tmp_path / "executed"
    hidden = np.array([Boom(target)], dtype=object)
    meta, arrays = weights.unpack(model.to_bytes())
    with pytest.raises(EngineError, match="cannot be used"):
        LocalEngine.from_bytes(weights.pack(meta, arrays | {"words_idf": hidden}))
    assert not target.exists()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.999])
def test_one_changed_byte_is_noticed(data: bytes, share: float) -> None:
    where = int(share * len(data))
    changed = data[:where] + bytes([data[where] ^ 1]) + data[where + 1 :]
    with pytest.raises(EngineError, match=r"The weights of this version cannot be used: .+\.") as caught:
        LocalEngine.from_bytes(changed)
    assert caught.value.kind == "malformed"


@pytest.mark.parametrize("length", [0, 1, 15, 30, 100, -1])
def test_cut_off_weights_are_refused(data: bytes, length: int) -> None:
    with pytest.raises(EngineError, match="cannot be used"):
        LocalEngine.from_bytes(data[:length])


def test_extra_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(EngineError, match="changed or cut off"):
        LocalEngine.from_bytes(data + b"\0")


def _without(name: str) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda meta, arrays: (meta if name in meta else arrays).pop(name)


def _with(name: str, value: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda meta, arrays: (meta if name in meta else arrays).update({name: value})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_without("category_text"), "a part is missing"),
        (_without("words_idf"), "a part is missing"),
        (_without("temperatures"), "a part is missing"),
        (_with("temperatures", {}), "a part is missing"),
        (_with("temperatures", {"category": "hot"}), "a part is missing"),
        (_with("temperatures", {"category": 0}), "not finite"),
        (_with("words", ["one", "two"]), "a part is missing"),
        (_with("words", 7), "a part is missing"),
        (_with("calibration", 7), "a part is missing"),
        (_with("category_text", np.zeros((3, 6), dtype=np.float16)), "do not fit together"),
        (_with("category_bias", np.full(6, np.nan, dtype=np.float16)), "not finite"),
        (_with("words_idf", np.array([1.0], dtype=np.float32)), "a part is missing"),
        (_with("category_bias", np.array(list("abcdef"))), "do not fit together"),
        (_with("cues", ["other"]), "another release"),
        (_with("categories", ["website-bug"]), "another release"),
        (_without("severities"), "another release"),
    ],
)
def test_parts_that_do_not_make_a_model_are_refused(data: bytes, change: Callable[..., None], reason: str) -> None:
    meta, arrays = weights.unpack(data)
    change(meta, arrays)
    with pytest.raises(EngineError, match=reason):
        LocalEngine.from_bytes(weights.pack(meta, arrays))


def test_a_rarity_that_is_not_finite_is_refused(data: bytes) -> None:
    meta, arrays = weights.unpack(data)
    arrays["words_idf"][0] = np.inf
    with pytest.raises(EngineError, match="not finite"):
        LocalEngine.from_bytes(weights.pack(meta, arrays))


def test_a_zip_that_unpacks_to_an_absurd_size_is_refused(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(io.BytesIO(data[len(weights.MAGIC) + weights.DIGEST_SIZE :])) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    monkeypatch.setattr(weights, "MAX_UNPACKED", size - 1)
    with pytest.raises(EngineError, match="absurd size"):
        LocalEngine.from_bytes(data)

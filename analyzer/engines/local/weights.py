"""Weights as bytes that cannot execute: a digest, then numpy arrays and one JSON text in a zip; never a pickle."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analyzer.engines import EngineError

MAGIC: Final = b"triage-local-1\n"
DIGEST_SIZE: Final = hashlib.sha256().digest_size
META: Final = "meta"
# Ten times what 10,000 comments need; a zip can promise far more than it weighs.
MAX_UNPACKED: Final = 256 * 1024 * 1024


def pack(meta: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> bytes:
    """The same contents always give the same bytes."""
    buffer = io.BytesIO()
    text = json.dumps(meta, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
    stored: dict[str, Any] = {META: np.frombuffer(text, dtype=np.uint8), **arrays}
    np.savez_compressed(buffer, **stored)
    payload = buffer.getvalue()
    return MAGIC + hashlib.sha256(payload).digest() + payload


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What pack was given; raises EngineError when a byte is missing, changed, or was never ours."""
    if not data.startswith(MAGIC):
        raise refusal("they are empty or of another format")
    digest, payload = data[len(MAGIC) :][:DIGEST_SIZE], data[len(MAGIC) + DIGEST_SIZE :]
    if hashlib.sha256(payload).digest() != digest:
        raise refusal("they were changed or cut off after they were written")
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
                raise refusal("they would unpack to an absurd size")
        with np.load(io.BytesIO(payload), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        meta = json.loads(arrays.pop(META).tobytes())
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise refusal("they hold no numbers and names as they should") from error
    if not isinstance(meta, dict):
        raise refusal("they hold no numbers and names as they should")
    return meta, arrays


def refusal(reason: str) -> EngineError:
    return EngineError("malformed", f"The weights of this version cannot be used: {reason}.")

"""What is worked on together: rows of different lengths, and as many as there is room for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytestmark = pytest.mark.finetune

GB = 1_000_000_000


@pytest.fixture
def cudnn_attention() -> Any:
    """As torch sets it, and as it was afterwards."""
    import torch

    before = torch.backends.cuda.cudnn_sdp_enabled()
    torch.backends.cuda.enable_cudnn_sdp(True)
    yield torch.backends.cuda.cudnn_sdp_enabled
    torch.backends.cuda.enable_cudnn_sdp(before)


def test_attention_whose_gradients_break_is_switched_off(cudnn_attention: Any) -> None:
    from training.finetune import loading

    assert cudnn_attention()
    loading.hardware()
    assert not cudnn_attention()


@pytest.mark.parametrize("length", [1_087, 1_088])
def test_padding_at_the_beginning_leaves_every_gradient_a_number(cudnn_attention: Any, length: int) -> None:
    """On a CPU it always did; on an H100 with cuDNN's attention 1,088 tokens, 64 over a multiple of 128, did not."""
    import torch

    from training.finetune import loading

    on = loading.hardware()
    dtype = torch.bfloat16 if on.device == "cuda" else torch.float32
    parts = [torch.randn(2, 1, length, 64, device=on.device, dtype=dtype, requires_grad=True) for _ in range(3)]
    mask = torch.ones(length, length, dtype=torch.bool, device=on.device).tril().repeat(2, 1, 1, 1)
    mask[0, :, :, :40] = False
    answer = torch.nn.functional.scaled_dot_product_attention(*parts, attn_mask=mask)
    # Nothing is asked of the padding.
    answer[:, :, 40:].float().sum().backward()
    assert all(bool(torch.isfinite(part.grad).all()) for part in parts)


@pytest.mark.parametrize(
    ("free", "expected"), [(80 * GB, 256), (8 * GB, 84), (1 * GB, 32)], ids=["much room", "some", "little"]
)
def test_as_many_rows_are_answered_together_as_a_gpu_has_room_for(
    monkeypatch: pytest.MonkeyPatch, free: int, expected: int
) -> None:
    import torch
    from transformers import LlamaConfig

    from training.finetune import probe

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free - GB // 2, 2 * free))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: GB)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: GB // 2)
    # SmolLM2-135M: 23,040 bytes a token.
    config = LlamaConfig(hidden_size=576, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3)
    model = SimpleNamespace(device=torch.device("cuda"), dtype=torch.bfloat16, config=config)
    assert probe._together(model, 1_024) == expected
    assert probe._together(SimpleNamespace(device=torch.device("cpu")), 1_024) == 32

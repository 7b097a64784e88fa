"""Positions: sines by hand, published tables, and what makes rotary positions rotary."""

from __future__ import annotations

import math

import pytest
import torch

from seqloom.layers.positions import (
    LearnedPositions,
    Rotary,
    SinusoidalPositions,
    positions_within,
    sinusoids,
)


def test_sinusoids_by_hand() -> None:
    table = sinusoids(torch.tensor([0, 3]), 4)
    assert table[0].tolist() == [0.0, 0.0, 1.0, 1.0]
    # Wavelengths 1 and 10000^(2/4) = 100.
    expected = [math.sin(3), math.sin(0.03), math.cos(3), math.cos(0.03)]
    assert table[1].tolist() == pytest.approx(expected, abs=1e-6)


def test_fairseq_sinusoids_by_hand() -> None:
    # Position 1 counts as 3; the wavelengths of width 6 are 1, 10000^(1/2) and 10000.
    table = sinusoids(torch.tensor([1]), 6, fairseq=True)[0]
    expected = [f(3 / w) for f in (math.sin, math.cos) for w in (1, 100, 10000)]
    assert table.tolist() == pytest.approx(expected, abs=1e-6)


def test_halves_are_the_interleaved_features_of_the_paper() -> None:
    width = 10
    table = sinusoids(torch.arange(20), width)
    for position in range(20):
        for feature in range(width):
            angle = position / 10000 ** (2 * (feature // 2) / width)
            value = math.cos(angle) if feature % 2 else math.sin(angle)
            place = feature // 2 + (width // 2 if feature % 2 else 0)
            assert table[position, place].item() == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("width", [8, 9])
def test_table_equals_marians(width: int) -> None:
    marian = pytest.importorskip("transformers.models.marian.modeling_marian")
    theirs = marian.MarianSinusoidalPositionalEmbedding(50, width).create_weight()
    torch.testing.assert_close(sinusoids(torch.arange(50), width), theirs, atol=1e-6, rtol=0)


@pytest.mark.parametrize("width", [8, 9])
def test_table_equals_m2m100s(width: int) -> None:
    m2m100 = pytest.importorskip("transformers.models.m2m_100.modeling_m2m_100")
    theirs = m2m100.M2M100SinusoidalPositionalEmbedding(50, width, padding_idx=1)
    ids = torch.full((1, 50), 7)
    ours = sinusoids(torch.arange(50), width, fairseq=True)
    # Their angles are float32 products: wrong by 50 * 2^-24 at the end.
    torch.testing.assert_close(ours, theirs(ids)[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("fairseq", [False, True])
def test_sinusoids_go_on_after_the_table(fairseq: bool) -> None:
    short, long = (SinusoidalPositions(6, size, fairseq=fairseq) for size in (4, 30))
    assert torch.equal(short(2, 20), long(2, 20))
    assert torch.equal(short(1, 3), long(1, 3))
    short.to(torch.bfloat16)
    assert short(2, 20).dtype == short(0, 2).dtype == torch.bfloat16


def test_learned_positions_are_rows_of_the_table_and_end_with_it() -> None:
    positions = LearnedPositions(2, 5)
    positions.table.data = torch.arange(10.0).view(5, 2)
    assert positions(3, 2).tolist() == [[6.0, 7.0], [8.0, 9.0]]
    with pytest.raises(AssertionError, match="position 6 is beyond the 5 learned ones"):
        positions(5, 1)


def test_learned_positions_by_index() -> None:
    positions = LearnedPositions(2, 5)
    positions.table.data = torch.arange(10.0).view(5, 2)
    found = positions.at(torch.tensor([[4, 0], [1, 1]]))
    assert found.tolist() == [[[8.0, 9.0], [0.0, 1.0]], [[2.0, 3.0], [2.0, 3.0]]]
    assert torch.equal(positions.at(torch.arange(1, 4)), positions(1, 3))


def test_positions_within_documents_by_hand() -> None:
    documents = torch.tensor([[1, 1, 1, 2, 2, 3, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0], [1] * 8])
    assert positions_within(documents).tolist() == [
        [0, 1, 2, 0, 1, 0, 0, 0],
        [0] * 8,
        [0, 1, 2, 3, 4, 5, 6, 7],
    ]


def at(start: int, length: int = 1) -> torch.Tensor:
    """Positions [length] from ``start`` on."""
    return torch.arange(start, start + length)


def test_rotary_at_one_position_for_all() -> None:
    """Hypotheses of a beam all stand at the same position."""
    x = torch.randn(1, 2, 3, 8)
    together = Rotary(8)(x, at(6))
    for index in range(3):
        one = x[:, :, index : index + 1]
        torch.testing.assert_close(together[:, :, index : index + 1], Rotary(8)(one, at(6)))


def test_rotary_by_hand() -> None:
    # Width 4: the pairs (0, 2) and (1, 3) turn by 1 and 1/100 radian a position.
    turned = Rotary(4)(torch.tensor([1.0, 0.0, 0.0, 1.0]).view(1, 1, 1, 4), at(2))[0, 0, 0]
    expected = [math.cos(2), -math.sin(0.02), math.sin(2), math.cos(0.02)]
    assert turned.tolist() == pytest.approx(expected, abs=1e-6)


def test_rotary_products_depend_on_the_distance_alone() -> None:
    torch.manual_seed(1)
    rotary, query, key = Rotary(8), torch.randn(1, 1, 1, 8), torch.randn(1, 1, 1, 8)

    def product(first: int, second: int) -> float:
        return float((rotary(query, at(first)) * rotary(key, at(second))).sum())

    for shift in (1, 10, 200):
        assert product(shift, shift + 3) == pytest.approx(product(0, 3), abs=1e-3)
    assert product(0, 3) != pytest.approx(product(0, 4), abs=1e-2)


def test_rotary_turns_and_never_stretches() -> None:
    x = torch.randn(2, 3, 7, 8)
    turned = Rotary(8)(x, at(5, 7))
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))
    assert torch.equal(Rotary(8)(x[:, :, :1], at(0)), x[:, :, :1])


def test_rotary_from_a_later_start_is_a_window() -> None:
    x = torch.randn(1, 2, 9, 8)
    torch.testing.assert_close(Rotary(8)(x, at(0, 9))[:, :, 4:], Rotary(8)(x[:, :, 4:], at(4, 5)))


def test_rotary_equals_llamas() -> None:
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    config = llama.LlamaConfig(
        hidden_size=16, num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=64
    )
    query, key = torch.randn(3, 2, 11, 8), torch.randn(3, 2, 11, 8)
    cosine, sine = llama.LlamaRotaryEmbedding(config)(query, torch.arange(11)[None])
    expected = llama.apply_rotary_pos_emb(query, key, cosine, sine)
    ours = Rotary(8)(query, at(0, 11)), Rotary(8)(key, at(0, 11))
    torch.testing.assert_close(ours, tuple(expected), atol=1e-5, rtol=1e-5)


def test_rotary_angles_stay_exact_in_a_bfloat16_model() -> None:
    x = torch.ones(1, 1, 1, 8)
    exact = Rotary(8)(x, at(301))
    rounded = Rotary(8).to(torch.bfloat16)(x.to(torch.bfloat16), at(301))
    torch.testing.assert_close(rounded.float(), exact, atol=2e-2, rtol=0)


def test_rotary_positions_of_each_row() -> None:
    x, positions = torch.randn(2, 3, 4, 8), torch.tensor([[0, 1, 2, 3], [7, 0, 1, 300]])
    turned = Rotary(8)(x, positions)
    for row in range(2):
        torch.testing.assert_close(
            turned[row : row + 1], Rotary(8)(x[row : row + 1], positions[row])
        )


def test_rotary_base_by_hand() -> None:
    # Width 4 and base 100: the second pair turns by 1/10 radian a position.
    turned = Rotary(4, 100.0)(torch.tensor([0.0, 1.0, 0.0, 0.0]).view(1, 1, 1, 4), at(2))
    assert turned.flatten().tolist() == pytest.approx([0, math.cos(0.2), 0, math.sin(0.2)])

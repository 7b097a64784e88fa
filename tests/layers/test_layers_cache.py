"""The shared key/value cache against a naive one that copies a whole past for every row."""

from __future__ import annotations

import torch
from torch import Tensor

from seqloom.layers.cache import CachedState

LAYERS, HEADS, WIDTH = 2, 3, 4
Pasts = list[list[list[Tensor]]]
"""For each layer and row, keys [H K] of its positions."""


def fresh(sentences: int) -> CachedState:
    return CachedState.empty(tuple(torch.zeros(sentences, HEADS, 7, WIDTH) for _ in range(LAYERS)))


def step(state: CachedState, sentences: int, pasts: Pasts) -> tuple[CachedState, Pasts]:
    """One position more, in the cache and in the naive pasts; values are the negated keys."""
    rows = len(state.past)
    state = state.grow(sentences)
    following = []
    for layer in range(LAYERS):
        key = torch.randn(sentences, HEADS, rows // sentences, WIDTH)
        keys, values = state.remember(layer, key, -key)
        assert torch.equal(values, -keys)
        own = key.transpose(1, 2).flatten(0, 1)
        following.append([[*past, own[row]] for row, past in enumerate(pasts[layer])])
        check(state, keys, following[-1], sentences)
    return state, following


def check(state: CachedState, keys: Tensor, pasts: list[list[Tensor]], sentences: int) -> None:
    """What each row sees, in the order of its slots, is its own past."""
    bias = state.bias(sentences, torch.float32)
    beam = len(pasts) // sentences
    for row, past in enumerate(pasts):
        seen = keys[row // beam]
        if bias is not None:
            seen = seen[:, bias[row // beam, 0, row % beam] == 0]
        assert torch.equal(seen, torch.stack(past, dim=1))


def move(pasts: Pasts, rows: Tensor) -> Pasts:
    return [[layer[row] for row in rows.tolist()] for layer in pasts]


def begin(sentences: int) -> tuple[CachedState, Pasts]:
    return fresh(sentences), [[[] for _ in range(sentences)] for _ in range(LAYERS)]


def test_a_beam_that_moves_at_random() -> None:
    """Long enough for several rounds of copying; sentences leave, come again and change places."""
    torch.manual_seed(0)
    state, pasts = begin(6)
    state, pasts = step(state, 6, pasts)
    sentences, beam = 6, 1
    for number in range(70):
        chosen = torch.arange(sentences)
        if number in (20, 45):
            chosen = torch.tensor([3, 0, 0, 2])
        wider = 4 if number < 60 else 1
        rows = (chosen[:, None] * beam + torch.randint(beam, (len(chosen), wider))).flatten()
        state, pasts = state.reorder(rows), move(pasts, rows)
        sentences, beam = len(chosen), wider
        state, pasts = step(state, sentences, pasts)
    assert state.length == 71


def test_slots_are_dropped_once_nobody_looks_back_to_them() -> None:
    """One hypothesis takes over at every step: the slots in use grow with the length alone."""
    state, pasts = begin(2)
    for _ in range(300):
        state, pasts = step(state, 2, pasts)
        beam = len(state.past) // 2
        rows = torch.arange(2).repeat_interleave(5) * beam
        state, pasts = state.reorder(rows), move(pasts, rows)
    assert state.past.shape[1] < 300 + 300 // 2 + 16 * 5
    assert state.slots.keys[0].shape[2] < 2 * 300


def test_one_row_a_sentence_needs_no_mask_and_is_written_in_place() -> None:
    state, pasts = begin(3)
    places = set()
    for _ in range(8):  # the room of a new cache
        state, pasts = step(state, 3, pasts)
        assert state.bias(3, torch.float32) is None
        places.add(state.slots.keys[0].data_ptr())
    assert len(places) == 1


def test_a_state_is_a_value() -> None:
    """Two futures of one state do not see each other, whichever is continued first."""
    state, pasts = begin(2)
    for _ in range(3):
        state, pasts = step(state, 2, pasts)
    first, of_first = step(state, 2, pasts)
    second, of_second = step(state, 2, pasts)
    for _ in range(20):
        first, of_first = step(first, 2, of_first)
        second, of_second = step(second, 2, of_second)
    step(state, 2, pasts)


def test_before_the_first_step() -> None:
    moved = fresh(3).reorder(torch.tensor([2, 2, 0, 0]))
    assert moved.length == 0
    state, _ = step(moved, 2, [[[] for _ in range(4)] for _ in range(LAYERS)])
    assert state.past.tolist() == [[True, False], [False, True]] * 2


def prompts() -> tuple[CachedState, Pasts]:
    """Two prompts, of three positions and none, and the naive pasts that stand for them."""
    keys = tuple(torch.randn(2, HEADS, 4, WIDTH) for _ in range(LAYERS))
    mask = torch.tensor([[True, True, True, False], [False] * 4])
    state = CachedState.filled(keys, tuple(-key for key in keys), mask)
    return state, [[[*key[0, :, :3].unbind(1)], []] for key in keys]


def test_prompts_are_seen_before_what_follows() -> None:
    torch.manual_seed(1)
    state, pasts = prompts()
    assert state.positions.tolist() == [3, 0]
    sentences, beam = 2, 1
    for number in range(40):
        chosen = torch.tensor([1, 0]) if number == 15 else torch.arange(2)
        rows = (chosen[:, None] * beam + torch.randint(beam, (2, 3))).flatten()
        state, pasts = state.reorder(rows), move(pasts, rows)
        beam = 3
        state, pasts = step(state, sentences, pasts)
    assert state.positions.tolist() == [40] * 3 + [43] * 3


def test_a_prompt_is_not_written_over() -> None:
    state, pasts = prompts()
    keys = [key.clone() for key in state.slots.keys]
    step(state, 2, pasts)
    assert all(torch.equal(key, kept) for key, kept in zip(state.slots.keys, keys, strict=True))


def test_a_window_hides_what_is_behind_it() -> None:
    torch.manual_seed(2)
    state, pasts = prompts()
    for _ in range(60):
        rows = torch.tensor([0, 0, 1, 1]) * (len(state.past) // 2)
        state, pasts = state.reorder(rows), move(pasts, rows)
        state = state.grow(2, window=2)
        for layer in range(LAYERS):
            key = torch.randn(2, HEADS, 2, WIDTH)
            keys, _ = state.remember(layer, key, -key)
            own = key.transpose(1, 2).flatten(0, 1)
            pasts[layer] = [[*past, own[row]][-2:] for row, past in enumerate(pasts[layer])]
            check(state, keys, pasts[layer], 2)
    assert state.slots.room < 60

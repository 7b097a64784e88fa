import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus import Corpus, split
from seqloom.errors import CorpusError

TEXT = st.text("abcde", max_size=3)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=60)


def parts(rows, share=0.3, limit=None):
    training, held_out = split(Corpus.of(rows), share, limit=limit)
    return [[(p.source, p.target) for p in part.pairs()] for part in (training, held_out)]


@given(PAIRS)
def test_the_parts_are_the_whole_in_order(rows):
    training, held_out = parts(rows)
    assert sorted(training + held_out) == sorted(rows)
    chosen = {source for source, _ in held_out}
    assert training == [row for row in rows if row[0] not in chosen]
    assert held_out == [row for row in rows if row[0] in chosen]


@given(PAIRS, PAIRS)
def test_adding_data_never_moves_a_pair(rows, more):
    before, after = parts(rows), parts(more + rows)
    for part, grown in zip(before, after, strict=True):
        assert set(part) <= set(grown)


@given(PAIRS, PAIRS, st.integers(0, 10))
def test_with_a_limit_no_held_out_pair_ever_becomes_training(rows, more, limit):
    _, before = parts(rows, limit=limit)
    training, after = parts(more + rows, limit=limit)
    assert len(before) <= limit >= len(after)
    assert not {source for source, _ in before} & {source for source, _ in training}


def test_limit_takes_the_same_pairs_in_any_order():
    rows = [(f"sentence {i}", str(i)) for i in range(1000)]
    training, held_out = parts(rows, limit=50)
    assert len(held_out) == 50
    assert sorted(held_out) == sorted(parts(rows[::-1], limit=50)[1])
    assert training == parts(rows)[0]
    assert parts(rows, limit=5000) == parts(rows)


def test_share_is_met_and_a_larger_share_contains_a_smaller():
    rows = [(f"sentence {i}", "") for i in range(20000)]
    small, large = parts(rows, 0.02)[1], parts(rows, 0.1)[1]
    assert len(small) == pytest.approx(400, abs=60)  # three standard deviations
    assert len(large) == pytest.approx(2000, abs=130)
    assert set(small) < set(large)


def test_the_choice_is_the_same_for_ever():
    # blake2b-64 of the source text, as an unsigned number, below a tenth of 2**64:
    # python -c "from hashlib import blake2b; print([i for i in range(60)
    #   if int.from_bytes(blake2b(str(i).encode(), digest_size=8).digest(), 'big') < 2**64 / 10])"
    rows = [(str(i), "") for i in range(60)]
    assert [int(source) for source, _ in parts(rows, 0.1)[1]] == [18, 29, 47, 55]


@pytest.mark.parametrize("share", [0, 1, 1.5, -0.1])
def test_share_outside_its_range(share):
    with pytest.raises(CorpusError, match=f"{share} is not between 0 and 1"):
        split(Corpus.of([]), share)


def test_names():
    training, held_out = split(Corpus.of([], "news", "en", "de"), 0.5)
    assert (training.name, held_out.name) == ("news", "news (held out)")
    assert held_out.target_language == "de"

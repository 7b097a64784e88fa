"""Words that a corpus teaches to be translations."""

import numpy as np
import pytest
from doctor_corpora import sentences

from seqloom.corpus.doctor.wordpairs import COUNT, WordPairs, learn


def runs(pairs, length=32):
    return [
        tuple(zip(*pairs[start : start + length], strict=True))
        for start in range(0, len(pairs), length)
    ]


def test_a_corpus_teaches_its_dictionary():
    pairs = learn(runs(sentences(2000, "en", "de"))).pairs
    learned = dict(pairs)
    assert learned.items() >= {"dog": "hund", "buys": "kauft", "king": "könig", "?": "?"}.items()
    assert len({target for _, target in pairs}) == len(pairs) <= COUNT


def test_scripts_without_spaces_are_learned_by_character():
    source = ["a cat", "a dog", "no cat", "no dog", "one dog"] * 20
    target = ["有猫", "有狗", "没猫", "没狗", "一狗"] * 20
    learned = dict(learn([(source, target)]).pairs)
    assert learned["cat"] == "猫"
    assert learned["no"] == "没"


@pytest.mark.parametrize("offset", [1, -2])
def test_a_shifted_corpus_teaches_at_its_offset(offset):
    pairs = sentences(2000, "en", "de")
    source, target = zip(*pairs, strict=True)
    rolled = np.roll(np.array(target), offset).tolist()
    shifted = runs(list(zip(source, rolled, strict=True)))
    assert dict(learn(shifted, offset).pairs)["dog"] == "hund"
    # Neighbours have nothing to do with each other here, so beside each other they teach nothing.
    assert ("dog", "hund") not in learn(shifted, 0).pairs


def test_strangers_and_rare_words_teach_nothing():
    assert learn([(["a b", "c d"] * 2, ["x y", "z w"] * 2)]).pairs == ()
    assert learn([]).pairs == ()
    assert learn([(["same"] * 50, ["equal"] * 50)]).pairs == ()


def test_bits_of_texts():
    many = tuple((f"s{i}", f"t{i}") for i in range(COUNT))
    pairs = WordPairs(many)
    bits = pairs.source_bits(["", "s0", "S0 and s1, s1", f"s{COUNT - 1}", "t0"])
    assert bits.shape == (5, COUNT // 64)
    assert np.bitwise_count(bits).sum(1).tolist() == [0, 1, 2, 1, 0]
    assert bits[3, -1] == 1 << 63
    assert (pairs.target_bits(["t0 t1"]) == pairs.source_bits(["s1 s0"])).all()

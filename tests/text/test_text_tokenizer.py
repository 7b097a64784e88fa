"""Round trips, specials that stay out of the text, files, mistakes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest
import tokenizers as library
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.errors import FolderError, TokenizerError
from seqloom.symbols import BOS, EOS, PAD, SPECIALS, UNK
from seqloom.text.tokenizer import Tokenizer, Tokenizers, tag_token

AWKWARD = [
    "",
    " ",
    "  two  spaces  ",
    "\ttab\r\nline\n\n",
    "▁",
    "▁▁ a▁ ▁b",
    "</s>",
    "<pad><s></s><unk>",
    "<2de> hallo <2ru>",
    "<0x41>",
    "<0x0A><0xFF>",
    "é e\u0301 ǆ ﬁ ß",
    "👨‍👩‍👧 ❤️ 🇩🇪",
    "ꯀꯨ 𐍈 𒀀 हिन्दी ไทย",
    "第二の犬。\u3000全角",
    "\ufdd0 \ufdd1 \ufdd2 \ufdd3 \ufdd4 \ufdd1\ufdd3 \ufdd1\ufdd2",
    "\x00 nul \x7f",
    "don't don’t 'quoted' dogs'",
    "\u2028\u00a0\ufeff",
    "Ġ Ċ ġ",
]


@pytest.mark.parametrize("text", AWKWARD)
def test_round_trip_of_awkward_texts(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert UNK not in ids


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(
        st.one_of(
            st.sampled_from(" ▁\t\n<>/s20xA'\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4eé"),
            st.characters(exclude_categories=["Cs"]),
        ),
        max_size=30,
    )
)
def test_round_trip_of_any_text(tokenizers, text):
    for tokenizer in tokenizers.values():
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_round_trip_of_a_batch_equals_single(tokenizer, sentences):
    texts = [*AWKWARD, *sentences[:20]]
    batch = tokenizer.encode_batch(texts)
    assert batch == [tokenizer.encode(text) for text in texts]
    assert tokenizer.decode_batch(batch) == texts


@settings(max_examples=100, deadline=None)
@given(ids=st.lists(st.integers(0, 339), max_size=20))
def test_any_ids_decode(tokenizers, ids):
    for tokenizer in tokenizers.values():
        text = tokenizer.decode([index for index in ids if index < tokenizer.size])
        assert not any(special in text for special in ("<pad>", "<unk>", "<2de>"))


def test_broken_bytes_become_the_replacement_character(bpe):
    euro = [bpe.pieces([index])[0] for index in bpe.encode("€")[1:]]
    assert euro == ["<0xE2>", "<0x82>", "<0xAC>"]
    assert "\ufffd" in bpe.decode(bpe.encode("€")[:-1])


def test_special_tokens_are_skipped_in_decoding(tokenizer):
    ids = tokenizer.encode("Hund", tags=["de"])
    assert tokenizer.decode([BOS, *ids, UNK, EOS, PAD, PAD]) == "Hund"


def test_special_tokens_are_never_found_in_text(tokenizer):
    for text in ("</s>", "x<s>y", "<2de>", "<unk>", "<pad>"):
        assert min(tokenizer.encode(text)) >= len(SPECIALS) + len(tokenizer.tags)


def test_specials_have_their_ids(tokenizer):
    assert tuple(tokenizer.pieces([PAD, BOS, EOS, UNK])) == SPECIALS
    assert tokenizer.pieces([4, 5]) == ["<2de>", "<2ru>"]


def test_a_byte_spelled_out_is_text_and_no_byte(bpe):
    assert bpe.encode("<0x41>") != bpe.encode("A")
    texts = ["<0x41> <0x41> </s> <2de>"] * 200
    learned = Tokenizer.train(texts, "bpe", 400, tags=["de"], exact=False)
    assert "<2de>" not in learned.pieces(learned.encode("<2de>"))
    assert learned.decode(learned.encode("<0x41>")) == "<0x41>"


def test_the_tag_is_the_first_token(tokenizer):
    plain = tokenizer.encode("Hund")
    assert tokenizer.encode("Hund", tags=["ru"]) == [5, *plain]
    assert tokenizer.encode("Hund", tags=["<2ru>"]) == [5, *plain]
    assert tokenizer.encode_batch(["", "Hund"], tags=["de"]) == [[4], [4, *plain]]


def test_unknown_tag(bpe):
    with pytest.raises(TokenizerError, match=r"no language tag <2fr> \(it has: <2de>, <2ru>\)"):
        bpe.encode("Hund", tags=["fr"])


def test_tags_are_language_codes():
    assert tag_token("pt-BR") == tag_token("<2pt-BR>") == "<2pt-BR>"
    for wrong in ("", "<2>", "d e", "<s>", "de>"):
        with pytest.raises(TokenizerError, match="is not a language code"):
            tag_token(wrong.removesuffix(">") + " ")


@pytest.mark.parametrize("kind", ["bpe", "byte_bpe", "unigram", "word"])
def test_punctuation_does_not_change_words(tokenizers, kind):
    tokenizer = tokenizers[kind]
    (hund,) = tokenizer.encode("Hund")
    for text in ("Hund.", "Hund, Hund!", "(x) Hund"):
        assert hund in tokenizer.encode(text)


def test_bpe_is_the_textbook_example():
    # Sennrich et al. 2016, figure 1 with the space in front: e-s, then es-t, are most frequent.
    texts = ["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3
    tokenizer = Tokenizer.train(texts, "bpe", 4 + 256 + 22)
    merges = [tuple(pair) for pair in tokenizer.description["model"]["merges"]]
    assert merges[:2] == [("e", "s"), ("es", "t")]
    # Words seen three times or more are whole pieces with eleven merges; an unseen one is not.
    assert tokenizer.pieces(tokenizer.encode("low newest lowest")) == [
        "▁low",
        "▁newest",
        "▁low",
        "est",
    ]


def test_unigram_prefers_the_likelier_cut(tokenizers):
    tokenizer = tokenizers["unigram"]
    (word,) = tokenizer.explain("Hund").words
    assert word.pieces == ("▁Hund",)


def test_word_vocabulary_holds_the_most_frequent_words():
    # Four characters (with the space) and room for four of the five words.
    texts = ["aa aa aa bb bb bb ab ab ba ba cc"]
    tokenizer = Tokenizer.train(texts, "word", 4 + 256 + 8)
    assert tokenizer.pieces(tokenizer.encode("aa ba cc")) == ["▁aa", "▁ba", "▁", "c", "c"]


def test_characters(tokenizers):
    tokenizer = tokenizers["character"]
    assert tokenizer.pieces(tokenizer.encode("dog house")) == list("▁dog▁house")


def test_rare_characters_give_way_to_longer_pieces():
    # 60 characters used once each; a budget of 40 keeps the frequent ones, bytes spell the rest.
    rare = "".join(chr(0x4E00 + number) for number in range(60))
    tokenizer = Tokenizer.train([rare, *["the house"] * 50], "bpe", 4 + 256 + 40)
    assert tokenizer.size == 300
    assert tokenizer.pieces(tokenizer.encode("the house")) == ["▁the", "▁house"]
    assert tokenizer.decode(tokenizer.encode(rare)) == rare
    assert any(piece.startswith("<0x") for piece in tokenizer.pieces(tokenizer.encode(rare)))


def test_no_false_word_starts_behind_left_out_characters():
    counts = Counter("丁七万丈三上下不与丏" * 2)
    texts = ["".join(counts) + "的人"] * 3 + ["的人的人的人"] * 50
    tokenizer = Tokenizer.train(texts, "bpe", 4 + 256 + 6, exact=False)
    pieces = [tokenizer.pieces([index])[0] for index in range(260, tokenizer.size)]
    assert "的人" in pieces


def test_sizes_are_exact(sentences):
    for kind in ("bpe", "byte_bpe", "unigram", "word"):
        tokenizer = Tokenizer.train(sentences, kind, 320)
        assert tokenizer.size == 320
        assert max(max(ids) for ids in tokenizer.encode_batch(sentences)) < 320


@pytest.mark.parametrize("kind", ["bpe", "byte_bpe", "unigram", "word", "character"])
def test_the_smallest_vocabulary_and_one_less(kind):
    smallest = 4 + 1 + 256 + (kind != "byte_bpe")
    tokenizer = Tokenizer.train(["some text"], kind, smallest, tags=["de"])
    assert tokenizer.decode(tokenizer.encode("anything é")) == "anything é"
    with pytest.raises(TokenizerError, match=rf"need at least {smallest}"):
        Tokenizer.train(["some text"], kind, smallest - 1, tags=["de"])


def test_a_vocabulary_larger_than_the_text_gives():
    with pytest.raises(
        TokenizerError, match=r"5000 tokens was asked for, but this text gives only (\d+)\. Set"
    ) as caught:
        Tokenizer.train(["a few words", "a few more words"], "bpe", 5000)
    most = int(str(caught.value).split("gives only ")[1].split(".")[0])
    assert Tokenizer.train(["a few words", "a few more words"], "bpe", most).size == most
    loose = Tokenizer.train(["a few words", "a few more words"], "bpe", 5000, exact=False)
    assert loose.size == most


def test_other_mistakes_in_training():
    with pytest.raises(TokenizerError, match="no text to learn a vocabulary from"):
        Tokenizer.train(["", ""], "bpe", 1000)
    with pytest.raises(TokenizerError, match=r"unknown kind of tokenizer 'wordpiece'.*byte_bpe"):
        Tokenizer.train(["a"], "wordpiece", 1000)


def test_training_is_deterministic(sentences, tokenizers):
    for kind, first in tokenizers.items():
        again = Tokenizer.train(iter(sentences), kind, 340, tags=["de", "ru"], exact=False)
        assert again.fingerprint == first.fingerprint
    assert len({tokenizer.fingerprint for tokenizer in tokenizers.values()}) == len(tokenizers)


def test_training_is_the_same_in_another_process(sentences, tokenizers):
    program = (
        "import json, sys; from seqloom.text.tokenizer import Tokenizer; "
        "texts = json.load(sys.stdin); "
        "print(*[Tokenizer.train(texts, k, 340, tags=['de', 'ru'], exact=False).fingerprint "
        "for k in ('bpe', 'unigram', 'word', 'character')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(sentences),
        capture_output=True,
        text=True,
        check=True,
    )
    names = ("bpe", "unigram", "word", "character")
    assert found.stdout.split() == [tokenizers[name].fingerprint for name in names]


def test_save_and_load(tokenizer, tmp_path, sentences):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    loaded = Tokenizer.load(path)
    assert loaded.kind == tokenizer.kind
    assert loaded.tags == tokenizer.tags == ("<2de>", "<2ru>")
    assert loaded.size == tokenizer.size
    assert loaded.fingerprint == tokenizer.fingerprint
    texts = [*AWKWARD, *sentences[:5]]
    assert loaded.encode_batch(texts, tags=["de"]) == tokenizer.encode_batch(texts, tags=["de"])


def test_the_file_is_plain(tokenizer, tmp_path, sentences):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    plain = library.Tokenizer.from_file(str(path))
    ids = plain.encode(sentences[0], add_special_tokens=False).ids
    assert ids == tokenizer.encode(sentences[0])
    assert plain.decode(ids) == sentences[0]


def test_joint_and_separate_folders(tokenizers, tmp_path):
    joint = Tokenizers(tokenizers["bpe"], tokenizers["bpe"])
    joint.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["tokenizer.json"]
    assert Tokenizers.load(tmp_path).joint
    separate = Tokenizers(tokenizers["bpe"], tokenizers["unigram"])
    separate.save(tmp_path)
    loaded = Tokenizers.load(tmp_path)
    assert not loaded.joint
    assert (loaded.source.kind, loaded.target.kind) == ("bpe", "unigram")


def test_damaged_files(tmp_path, bpe):
    path = tmp_path / "tokenizer.json"
    with pytest.raises(TokenizerError, match="no such tokenizer file"):
        Tokenizer.load(path)
    bpe.save(path)
    path.write_text(path.read_text(encoding="utf-8")[:500], encoding="utf-8")
    with pytest.raises(TokenizerError, match=r"tokenizer\.json: not a valid tokenizer\.json"):
        Tokenizer.load(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(TokenizerError, match="cannot be read as a tokenizer"):
        Tokenizer.load(path)
    library.Tokenizer(library.models.BPE({"a": 0}, [])).save(str(path))
    with pytest.raises(TokenizerError, match="ids 0 to 3 are a, None, None, None"):
        Tokenizer.load(path)


def test_no_place_to_save(bpe, tmp_path):
    with pytest.raises(FolderError, match="cannot write"):
        bpe.save(tmp_path)


def test_lone_surrogates_are_refused(bpe):
    with pytest.raises(TokenizerError, match=r"text 2 has a lone surrogate \(U\+D800\) at char"):
        bpe.encode_batch(["fine", "a\ud800"])


def test_pieces_are_readable(tokenizers):
    for kind in ("bpe", "byte_bpe"):
        tokenizer = tokenizers[kind]
        pieces = tokenizer.pieces(tokenizer.encode("groß €"))
        assert "".join(pieces) == "▁groß▁<0xE2><0x82><0xAC>"
    bpe = tokenizers["bpe"]
    assert "".join(bpe.pieces(bpe.encode("a ▁"))) != ""


@pytest.mark.parametrize("kind", ["bpe", "unigram", "word"])
def test_room_that_longer_pieces_leave_goes_to_rare_characters(kind):
    # Nothing repeats, so there is little to learn: beyond half of the budget come characters again.
    text = "".join(chr(0x4E00 + number) for number in range(100))
    tokenizer = Tokenizer.train([text], kind, 4 + 256 + 80)
    assert tokenizer.size == 340
    known = [piece for piece in tokenizer.pieces(tokenizer.encode(text)) if piece in text]
    assert kind == "word" or len(known) == 79  # and the space before the word
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("kind", ["bpe", "byte_bpe", "unigram", "word", "character"])
def test_a_vocabulary_in_lower_case(kind, sentences, tmp_path):
    texts = [*sentences, "Die Wolken STRASSE İ ΣΟΦΟΣ Ελλάς"] * 2
    size = 700 if kind != "character" else 400
    tokenizer = Tokenizer.train(texts, kind, size, exact=False, lowercase=True)
    tokenizer.save(tmp_path / "tokenizer.json")
    again = Tokenizer.load(tmp_path / "tokenizer.json")
    assert (again.kind, again.fingerprint) == (kind, tokenizer.fingerprint)
    lower = library.normalizers.Lowercase().normalize_str
    for text in (*texts[-2:], "The DOG  ran.", "ΣΟΦΟΣ", "ÀÉ </s> <2DE>"):
        assert again.decode(again.encode(text)) == lower(text)
        assert again.encode(text) == again.encode(lower(text))
    plain = again.pieces(range(len(SPECIALS) + 256, again.size))
    assert not any(piece != lower(piece) for piece in plain if not piece.startswith("<0x"))
    cased = Tokenizer.train(texts, kind, size, exact=False)
    assert cased.encode("The DOG") != cased.encode("the dog")

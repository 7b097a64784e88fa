"""Conversations: their tokens, which of them are learned, and a model that answers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from tokenizers import decoders, models, pre_tokenizers

from seqloom.corpus.dialogues import Message
from seqloom.corpus.document_store import DocumentStore, DocumentWriter
from seqloom.corpus.pairs import Corpus
from seqloom.errors import CorpusError, DecodingError, RecipeError
from seqloom.language_model import LanguageModel
from seqloom.pretraining import pretrain
from seqloom.recipe import load_recipe_of
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.symbols import Symbols
from seqloom.text.chat import MARKS, dialogue_ids, prompt_ids
from seqloom.text.document_encoding import encode_foreign
from seqloom.text.growth import grown
from seqloom.text.tokenizer import Tokenizer
from seqloom.training.packing import packed_rows

sys.path.append(str(Path(__file__).parent / "cli"))
from command_line import seqloom

SETTINGS = (
    "training.batch_tokens=256", "training.validate_every=150", "training.precision=float32",
    "training.samples=[]", "training.warmup=5", "data.validation_share=0.1",
    "training.learning_rate=0.01", "training.muon_learning_rate=0.02",
)  # fmt: skip
TINY = (
    "model.width=32", "model.feedforward=64", "model.heads=2", "model.layers=1",
    "model.context=40", "model.dropout=0", "data.tokenizer=word",
)  # fmt: skip
LETTERS = "abcdefgh"
TALK = [
    Message("system", "a"), Message("user", "b c"), Message("assistant", "d"),
    Message("user", "e"), Message("assistant", "f g"), Message("user", "h"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqloom.training.loop.draw_curves", lambda folder: None)


def ours() -> Tokenizer:
    return grown(Tokenizer.train([" ".join(LETTERS)] * 9, "word", 300, exact=False), MARKS)


def theirs() -> Tokenizer:
    backend = tokenizers.Tokenizer(models.BPE(byte_vocabulary(), []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return Tokenizer(backend, Symbols(0, 1, 1, None))


def byte_vocabulary() -> dict[str, int]:
    names = ["<pad>", "<|end|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    return {name: index for index, name in enumerate(names)}


def stretches(ids: list[int], lengths: list[int]) -> list[list[int]]:
    return [list(part) for part in np.split(np.array(ids), np.cumsum(lengths)[:-1])]


def test_a_conversation_is_read_and_said_in_turn() -> None:
    tokenizer = ours()
    system, user, assistant = (tokenizer.encode("", tags=[mark])[0] for mark in MARKS)
    a, b, c, d, e, f, g = (tokenizer.encode(letter)[0] for letter in "abcdefg")
    found = stretches(*dialogue_ids(tokenizer, "tokens", TALK))
    assert found == [
        [system, a, user, b, c, assistant], [d, tokenizer.symbols.end],
        [user, e, assistant], [f, g],
    ]  # fmt: skip


def test_in_words_for_vocabularies_of_others() -> None:
    tokenizer = theirs()
    found = stretches(*dialogue_ids(tokenizer, "text", TALK))
    texts = [tokenizer.decode(part) for part in found]
    assert texts == ["System: a\nUser: b c\nAssistant:", " d<|end|>", "User: e\nAssistant:", " f g"]


@pytest.mark.parametrize(("tokenizer", "form"), [(ours(), "tokens"), (theirs(), "text")])
def test_a_prompt_is_the_beginning_of_what_was_learned(tokenizer: Tokenizer, form: str) -> None:
    ids, lengths = dialogue_ids(tokenizer, form, TALK)
    assert prompt_ids(tokenizer, form, TALK[:4], None) == ids[: sum(lengths[:3])]


def test_the_oldest_messages_make_room() -> None:
    tokenizer = ours()
    short = prompt_ids(tokenizer, "tokens", [TALK[0], *TALK[3:]], None)
    assert prompt_ids(tokenizer, "tokens", TALK, 16) == short
    assert prompt_ids(tokenizer, "tokens", TALK, 1000) != short


def test_only_what_is_said_counts(tmp_path: Path) -> None:
    with DocumentWriter(tmp_path / "x.arrow", 99) as writer:
        writer.write([[10, 11, 12, 13, 14, 15], [20, 21]], [[2, 1, 1, 2], [1, 1]])
    store = DocumentStore.open(tmp_path / "x.arrow")
    (batch,) = packed_rows(store, 12, 12, Symbols(), said=True)
    assert batch.targets[batch.real].tolist() == [12, 14, 15, 2, 21, 2]
    (cut, *_) = packed_rows(store, 4, 4, Symbols(), said=True)
    assert cut.targets[cut.real].tolist() == [12]


def test_sentences_of_foreign_tokens_are_found_by_their_places() -> None:
    tokenizer = theirs()
    text = "Two dogs. A man runs!\nYes."
    (ids,), (lengths,) = encode_foreign(tokenizer, [text])
    assert ids.tolist() == tokenizer.encode(text)
    assert lengths.sum() == len(ids)
    assert len(lengths) == 3
    assert [part.tolist() for part in encode_foreign(tokenizer, [""])[1]] == [[0]]


def recipe_of(*settings: str, data: dict[str, object] | None = None, **training: object):
    given = {"model": {"family": "gpt"}, "data": data or {}, "training": training}
    return load_recipe_of(PretrainRecipe, None, [*SETTINGS, *settings], given)


@pytest.fixture(scope="module")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says each letter back in capitals, which it read in texts before."""
    work = tmp_path_factory.mktemp("chat")
    texts = [f"{a} {b.upper()} {c}" for a in LETTERS for b in LETTERS for c in LETTERS[:2]]
    corpus = Corpus.of([(text, "") for text in texts], name="letters")
    pretrain(recipe_of(*TINY, "training.updates=20"), work / "gpt", corpus=corpus, device="cpu")
    lines = []
    for a in LETTERS:
        for b in LETTERS:
            talk = [(a, a.upper()), (b, b.upper())]
            messages = [
                {"role": role, "content": text}
                for asked, said in talk
                for role, text in (("user", asked), ("assistant", said))
            ]
            lines.append(json.dumps({"messages": messages}))
    (work / "talk.jsonl").write_text("\n".join(lines), encoding="utf-8")
    recipe = recipe_of(
        "training.updates=150",
        data={"dialogues": [str(work / "talk.jsonl")]},
        model_from=str(work / "gpt"),
    )
    pretrain(recipe, work / "chat", device="cpu")
    return work


def test_a_model_learns_to_answer(answering: Path) -> None:
    model = LanguageModel.load(answering / "chat", device="cpu")
    assert model.recipe.data.chat == "tokens"
    assert model.tokenizer.tags == MARKS
    talk = [{"role": "user", "content": "c"}]
    options = {"sample": False, "beam": 1, "precision": "float32"}
    assert model.chat(talk, **options) == "C"
    talk += [{"role": "assistant", "content": "C"}, {"role": "user", "content": "e"}]
    assert model.chat(talk, **options) == "E"


def test_lines_are_answered_one_after_another(answering: Path) -> None:
    done = seqloom(
        "chat", answering / "chat", "--set", "decoding.sample=false", "--set", "decoding.beam=1",
        stdin="a\n\nh\n",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert done.out == "A\nH\n"


def test_a_message_that_is_too_long_does_not_end_a_conversation(
    answering: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = ("--set", "decoding.sample=false", "--set", "decoding.beam=1")
    typed = f"a\n{'b ' * 500}\nh\n"
    monkeypatch.setattr("seqloom.cli.chat.is_terminal", lambda stream: True)
    done = seqloom("chat", answering / "chat", *how, stdin=typed)
    assert (done.code, done.out) == (0, "A\nH\n")
    assert "The conversation goes on without it." in done.err
    monkeypatch.setattr("seqloom.cli.chat.is_terminal", lambda stream: False)
    done = seqloom("chat", answering / "chat", *how, stdin=typed)  # nobody can shorten it
    assert (done.code, done.out) == (2, "A\n") and "goes on" not in done.err


def test_a_model_that_cannot_converse_says_so(answering: Path) -> None:
    done = seqloom("chat", answering / "gpt", stdin="")  # before anything is said
    assert done.code == 2
    assert "has not learned to converse. Teach it: seqloom pretrain gpt --from" in done.err


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([], "the last message is not the user's"),
        ([{"role": "assistant", "content": "x"}], "the last message is not the user's"),
        ([{"role": "someone", "content": "x"}], "is no message; expected a role"),
    ],
)
def test_wrong_messages_are_refused(
    messages: list[dict[str, str]], complaint: str, answering: Path
) -> None:
    model = LanguageModel.load(answering / "chat", device="cpu")
    with pytest.raises(DecodingError, match=complaint):
        model.chat(messages)


def test_dialogues_need_a_model_that_can_write() -> None:
    with pytest.raises(RecipeError, match=r"go on from\s+a GPT with --from FOLDER"):
        recipe_of(data={"dialogues": ["talk.jsonl"]})


def test_a_line_that_is_no_dialogue_is_refused_with_its_place(
    answering: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text('{"messages": []}\n', encoding="utf-8")
    recipe = recipe_of(data={"dialogues": [str(wrong)]}, model_from=str(answering / "gpt"))
    with pytest.raises(CorpusError, match=r"wrong\.jsonl, line 1: no list of messages"):
        pretrain(recipe, tmp_path / "out", device="cpu")

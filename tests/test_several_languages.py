"""One model of several corpora: the tag says what is wanted, and a mark is no part of the text."""

from __future__ import annotations

import pytest

from seqloom.errors import DecodingError, TokenizerError
from seqloom.recipe import recipe_from
from seqloom.translator import Translator
from seqloom.workflow import train
from tiny import TRAINING, TRANSFORMER, letters


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Translator:
    """Letters to capitals (xx to yy, and back), and to themselves (xx to zz)."""
    folder = tmp_path_factory.mktemp("several")
    texts = letters(1200, seed=1)
    for name, target in (("yy", str.upper), ("zz", str)):
        lines = (f"{text}\t{target(text)}\n" for text in texts[:: 1 if name == "yy" else 6])
        (folder / f"{name}.tsv").write_text("".join(lines))
    capitals = {"source_language": "xx", "target_language": "yy", "both_directions": True}
    same = {"source_language": "xx", "target_language": "zz", "mark": "copy"}
    recipe = recipe_from(
        {
            "data": {
                "tokenizer": "word", "tag": True, "temperature": 5, "max_length": 12,
                "corpora": [
                    {"source": str(folder / "yy.tsv"), **capitals},
                    {"source": str(folder / "zz.tsv"), **same},
                ],
            },
            "model": TRANSFORMER,
            "training": TRAINING | {"updates": 450, "validate_every": 450},
            "decoding": {"beam": 1, "precision": "float32"},
        },
        "several",
    )  # fmt: skip
    train(recipe, folder / "model")
    return Translator.load(folder / "model", device="cpu")


def into(model: Translator, texts: list[str], language: str) -> list[str]:
    return [found.text for found in model.stream(texts, target_language=language)]


def test_the_tag_says_into_which_language(model: Translator) -> None:
    texts = letters(40, seed=9)
    capitals = [text.upper() for text in texts]
    there = into(model, texts, "yy")
    assert sum(a == b for a, b in zip(there, capitals, strict=True)) >= 34
    back = into(model, capitals, "xx")
    assert sum(a == b for a, b in zip(back, texts, strict=True)) >= 34


def test_a_language_must_be_named_and_known(model: Translator) -> None:
    with pytest.raises(DecodingError, match=r"several languages \(<2yy>, <2xx>, <copy>, <2zz>\)"):
        model.translate(["a b"])
    with pytest.raises(TokenizerError, match="no language tag <2qq>"):
        into(model, ["a b"], "qq")

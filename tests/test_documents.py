"""Documents translated in place: what was missing is there, and nothing else has changed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seqloom.corpus import read_corpus
from seqloom.documents import is_document, translate_document
from seqloom.errors import CorpusError
from seqloom.recipe import DecodingRecipe
from seqloom.translator import Translator
from tiny import trained_folder

XLIFF = """<?xml version="1.0" encoding="utf-8"?>
<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">
  <file original="x" source-language="en" target-language="de" datatype="plaintext">
    <body>
      <trans-unit id="1"><source>a b c</source><note>first</note></trans-unit>
      <trans-unit id="2">
        <source>a <g id="g1">b c</g> d<x id="x1"/></source>
      </trans-unit>
      <trans-unit id="3"><source>a</source><target>done</target></trans-unit>
      <trans-unit id="4"><source xml:space="preserve"> b b
 a c </source><target/></trans-unit>
    </body>
  </file>
</xliff>
"""
PO = """msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

#: a.c:1
msgid "a b"
msgstr ""

#, fuzzy
msgid "c d"
msgstr "guess"

msgid "b\\n"
"a c\\n"
msgstr ""
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Translator:
    return Translator.load(trained_folder(tmp_path_factory), device="cpu")


GREEDY = DecodingRecipe(beam=1, precision="float32")


def test_xliff_keeps_all_but_its_targets(tiny: Translator, tmp_path: Path) -> None:
    path, out = tmp_path / "x.xliff", tmp_path / "y.xliff"
    path.write_text(XLIFF, encoding="utf-8")
    calls = []
    filled = translate_document(tiny, path, out, GREEDY, progress=lambda *call: calls.append(call))
    assert filled == 3 and calls[-1][:3] == ("translating", 3, 3)
    pairs = {pair.metadata["id"]: pair for pair in read_corpus(out).pairs()}
    assert [pairs[number].target for number in "134"] == ["A B C", "done", " B B\n A C "]
    assert pairs["2"].target == "A B C D"
    assert pairs["2"].metadata["target_markup"] == 'A <g id="g1">B C</g> D<x id="x1"/>'
    targets = re.compile(r"\s*<target(/>|.*?</target>)", re.DOTALL)
    assert targets.sub("", out.read_text("utf-8")) == targets.sub("", XLIFF)


def test_po_keeps_all_but_its_targets(tiny: Translator, tmp_path: Path) -> None:
    path = tmp_path / "x.po"
    path.write_text(PO, encoding="utf-8")
    assert translate_document(tiny, path, path, GREEDY) == 2
    text = path.read_text(encoding="utf-8")
    assert 'msgid "a b"\nmsgstr "A B"\n' in text
    assert '#, fuzzy\nmsgid "c d"\nmsgstr "guess"\n' in text
    targets = [pair.target for pair in read_corpus(path).pairs()]
    assert targets == ["A B", "B\nA C\n"]
    assert translate_document(tiny, path, path, GREEDY) == 0


@pytest.mark.parametrize("model", ["transformer", "rnn"])
def test_tags_come_back_from_any_model(model: str, tmp_path: Path) -> None:
    from tiny import RNN, TRANSFORMER, untrained

    translator = untrained({"transformer": TRANSFORMER, "rnn": RNN}[model])
    path = tmp_path / "x.xlf"
    path.write_text(XLIFF, encoding="utf-8")
    translate_document(translator, path, path, GREEDY)
    found = {pair.metadata["id"]: pair.metadata for pair in read_corpus(path).pairs()}
    markup = found["2"]["target_markup"]
    assert [markup.count(tag) for tag in ('<g id="g1">', "</g>", '<x id="x1"/>')] == [1, 1, 1]


def test_what_is_a_document() -> None:
    assert is_document("a/b.xlf") and is_document("b.po.gz") and is_document("B.XLIFF")
    assert not is_document("-") and not is_document("x.txt") and not is_document("x.tmx")


def test_a_broken_document_leaves_everything(tiny: Translator, tmp_path: Path) -> None:
    path = tmp_path / "x.xlf"
    path.write_text(XLIFF[:-20], encoding="utf-8")
    with pytest.raises(CorpusError, match=r"x\.xlf"):
        translate_document(tiny, path, path, GREEDY)
    assert path.read_text(encoding="utf-8") == XLIFF[:-20]
    assert [file.name for file in tmp_path.iterdir()] == ["x.xlf"]

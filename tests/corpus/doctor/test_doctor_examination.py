"""The whole examination: its record, its text, its page."""

import json
from html.parser import HTMLParser

import pytest
from doctor_corpora import sentences

from seqloom.corpus import Corpus
from seqloom.corpus.doctor import examine, write_page
from seqloom.corpus.doctor import examiner as examiner_module
from seqloom.errors import CorpusError, FolderError

EVIL = '<script>alert("x")</script> & <img src=x onerror=alert(1)> %s'


@pytest.fixture(scope="module")
def pairs():
    found = [list(pair) for pair in sentences(1200, "en", "de")]
    found[100] = ["Identical sides.", "Identical sides."]
    found[200] = [EVIL, "Etwas anderes."]
    found[300] = ["Turned \u202e round", "Umgedreht \x07"]
    found[400] = ["", "Leer"]
    found[500] = found[50]
    found[600:700] = [
        [source, found[place - 1][1]] for place, (source, _) in enumerate(found[600:700], start=600)
    ]
    return [tuple(pair) for pair in found]


@pytest.fixture(scope="module")
def found(pairs):
    corpus = Corpus.of(pairs, "made <up>", "en", "de")
    return examine(corpus, held_out={"test": Corpus.of([pairs[50], ("New.", "Neu.")])})


def test_what_was_planted_is_named(found, pairs):
    numbers = {name: set(of.tolist()) for name, of in found.numbers.items()}
    assert numbers["identical"] == {101}
    assert numbers["placeholders"] == {201}
    assert numbers["control"] == {301}
    assert numbers["empty"] == {401}
    assert numbers["duplicate"] == {501}
    assert numbers["overlap"] == {51, 501}
    assert {101, 201} <= numbers["language"] | numbers["identical"] | numbers["placeholders"]
    stretches = found.alignment.stretches
    assert [stretch.offset for stretch in stretches] == [1]
    assert stretches[0].first == pytest.approx(601, abs=3)
    assert stretches[0].last == pytest.approx(700, abs=3)
    assert {suspect.pair for suspect in found.suspects} >= {101, 201, 301, 401}
    assert not any(605 <= suspect.pair <= 695 for suspect in found.suspects)
    assert found.texts[101] == pairs[100]


def test_figures_of_both_sides(found, pairs):
    assert (found.pairs, found.complete, found.identified) == (1200, True, 1200)
    assert found.source.lengths.characters == sum(len(source) for source, _ in pairs)
    assert found.source.words == sum(len(source.split()) for source, _ in pairs)
    assert (found.source.unit, found.source.empty, found.target.empty) == ("words", 1, 0)
    assert next(iter(found.source.languages)) == "en"
    assert next(iter(found.target.scripts)) == "Latin"
    assert found.duplicates.equal.pairs == 1
    assert found.leakage[0].equal.pair == 1
    assert ("dog", "hund") in found.alignment.word_pairs


def test_the_record_is_json_and_complete(found):
    record = found.as_dict()
    assert json.loads(json.dumps(record)) == json.loads(json.dumps(record))
    assert (record["version"], record["kind"]) == (1, "examination")
    assert "numbers" not in record
    for number in found.named():
        assert str(number) in record["texts"]
    assert len(record["strip"]["suspicion"]) == 240


def test_the_text_names_what_is_wrong(found):
    text = found.text()
    assert text.startswith("made <up>: 1,200 pairs, en -> de")
    assert "the target of a pair stands 1 line after it" in text
    assert "identical: 1 (0.08 %): both sides are the same" in text
    assert "pair 101: 'Identical sides.' | 'Identical sides.'" in text
    assert "Held-out set test: of its 2 pairs the corpus has 1 pair (alike: 1)" in text
    assert "--set 'data.filters=[identical," in text
    assert "\u202e" not in text


class Page(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.attributes, self.texts, self.open = [], [], [], []
        self.feed(content)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "path", "use", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in ("path", "use", "rect"):
            return
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.texts.append(data)


def page_of(record, tmp_path):
    path = tmp_path / "deep" / "page.html"
    write_page(record, path)
    return path.read_text(encoding="utf-8")


def test_the_page_needs_nothing_and_runs_nothing(found, tmp_path):
    content = page_of(json.loads(json.dumps(found.as_dict())), tmp_path)
    page = Page(content)
    assert page.open == [], "every tag is closed"
    assert not {"script", "img", "link", "iframe", "object", "a"} & set(page.tags)
    assert page.tags.count("svg") == 3
    for name, value in page.attributes:
        assert not name.startswith("on")
        assert name not in ("src", "srcset")
        if name in ("href", "xlink:href"):
            assert value.startswith("#")
    assert "@import" not in content
    assert "url(http" not in content
    assert "color-scheme: light dark" in content
    assert EVIL in " ".join(page.texts)
    assert "[U+202E]" in content
    assert "\u202e" not in content


def test_pictures_are_the_same_for_the_same_record(found, tmp_path):
    record = found.as_dict()
    assert page_of(record, tmp_path) == page_of(record, tmp_path)


def test_a_page_that_cannot_be_written(found, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match="cannot write"):
        write_page(found.as_dict(), tmp_path / "file" / "page.html")


def test_only_the_beginning(pairs, found):
    told = []
    short = examine(
        Corpus.of(pairs, "pairs", "en", "de"),
        limit=300,
        progress=lambda stage, done, total, note="": told.append((stage, done, total)),
    )
    assert (short.pairs, short.complete) == (300, False)
    assert short.alignment.stretches == []
    assert told == [("read", 300, 300), ("look for signs", 300, 300)]
    assert "at its beginning" in short.text()
    whole = examine(Corpus.of(pairs[:300], "pairs", "en", "de"), limit=1000)
    assert whole.complete
    assert whole.signs == short.signs


@pytest.mark.parametrize("count", [1, 2, 20])
def test_tiny_corpora(count, tmp_path):
    found = examine(Corpus.of([("A cat.", "Eine Katze.")] * count))
    assert found.pairs == count
    assert found.duplicates.equal.pairs == count - 1
    assert found.source.language is None
    assert "? -> ?" in found.text()
    assert Page(page_of(found.as_dict(), tmp_path)).open == []


def test_empty_texts_only(tmp_path):
    found = examine(Corpus.of([("", "")] * 3))
    assert found.signs["empty"].pairs == 3
    assert Page(page_of(found.as_dict(), tmp_path)).open == []


def test_a_side_without_spaces_is_counted_by_characters():
    found = examine(Corpus.of([("A cat sleeps.", "一只猫在睡觉。")] * 3, "cats", "en", "zh"))
    assert (found.source.words, found.source.unit) == (9, "words")
    assert (found.target.words, found.target.unit) == (21, "characters")
    assert found.target.scripts == {"Han": 1.0}
    advised = [each for setting in found.settings for each in setting.settings]
    assert {"data.tokenizer=unigram", "data.joint=false"} <= set(advised)


def test_nothing_to_examine():
    with pytest.raises(CorpusError, match="nothing: holds no pairs"):
        examine(Corpus.of([], "nothing"))


def test_of_huge_corpora_a_part_is_identified(pairs, monkeypatch):
    monkeypatch.setattr(examiner_module, "IDENTIFIED", 500)
    found = examine(Corpus.of(pairs, "pairs", "de", "de"))
    assert found.identified == 400
    assert all((number - 1) % 3 == 0 for number in found.numbers["language"].tolist())
    assert found.source.foreign["en"] == pytest.approx(400, rel=0.05)


def test_batches_do_not_matter(pairs, found, monkeypatch):
    monkeypatch.setattr("seqloom.corpus.pairs.BATCH_PAIRS", 96)
    held_out = {"test": Corpus.of([pairs[50], ("New.", "Neu.")])}
    again = examine(Corpus.of(pairs, "made <up>", "en", "de"), held_out=held_out)
    assert again.as_dict() == found.as_dict()

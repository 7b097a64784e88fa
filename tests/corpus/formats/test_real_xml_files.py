"""Every real TMX and XLIFF file against a table, and against what translate-toolkit finds in it.

The table (l10n_xml.tsv) was written by looking at each file. The toolkit parses the files with
another parser (lxml); its units are reduced here to the documented rules by code of their own.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from seqloom.corpus import Corpus
from seqloom.corpus.formats.markup import inner_xml
from seqloom.corpus.formats.reading import Reading
from seqloom.corpus.formats.tmx import read_tmx, write_tmx
from seqloom.corpus.formats.xliff import read_xliff
from seqloom.corpus.formats.xliff_fill import blanks_xliff, fill_xliff
from seqloom.corpus.formats.xliff_writing import write_xliff
from seqloom.errors import CorpusError

SUFFIXES = (".tmx", ".xlf", ".xliff")
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
CODES = {*("bpt", "ept", "it", "ph", "ut", "x", "bx", "ex", "sc", "ec", "sm", "em")}


class Row(NamedTuple):
    file: str
    languages: tuple[str, ...]
    expected: str
    blanks: int | None

    def __str__(self):
        return " ".join((self.file, *self.languages))


def table():
    lines = Path(__file__).with_name("l10n_xml.tsv").read_text("utf-8").splitlines()[1:]
    for line in lines:
        file, languages, expected, blanks, _ = line.split("\t")
        yield Row(file, tuple(languages.split()), expected, int(blanks) if blanks else None)


ROWS = list(table())
READ = [row for row in ROWS if row.expected.startswith("pairs ")]
REFUSED = [row for row in ROWS if row.expected.startswith("refused ")]
TO_FILL = [row for row in ROWS if row.blanks is not None]


@pytest.fixture(scope="session")
def files(real_data):
    return real_data / "l10n-files"


def corpus_of(path, languages):
    read = read_tmx if path.suffix == ".tmx" else read_xliff
    return Corpus(lambda: read(path, Reading(None, *languages)), name=path.name)


def texts(path, languages=()):
    return [(pair.source, pair.target) for pair in corpus_of(path, languages).pairs()]


def visible(node):
    """The text of a segment as lxml has it, without native code."""
    parts = [node.text or ""]
    for child in node:
        if isinstance(child.tag, str) and local(child) not in CODES:
            parts.append(visible(child))
        parts.append(child.tail or "")
    return "".join(parts)


def local(node):
    return node.tag.rpartition("}")[2]


def wanted(code, available):
    """The language among those available that a code means: it, its variety, or it at large."""
    exact = [other for other in available if other.lower() == code.lower()]
    if "-" in code:
        wider = [other for other in available if other.lower() == code.lower().split("-")[0]]
    else:
        wider = [other for other in available if other.lower().split("-")[0] == code.lower()]
    return next(iter(exact + wider), None)


def toolkit_tmx(path, languages):
    storage = pytest.importorskip("translate.storage.tmx")
    store = storage.tmxfile()
    store.parse(path.read_bytes())
    header = store.document.getroot().find("header").get("srclang")
    for unit in store.units:
        sides = {}
        for variant in unit.getlanguageNodes():
            sides.setdefault(variant.get(LANG) or variant.get("lang"), variant.find("seg"))
        if not languages:
            source = wanted(unit.xmlelement.get("srclang", header), sides)
            languages = (source, next(code for code in sides if code != source))
        source = wanted(languages[0], sides)
        target = wanted(languages[1], [code for code in sides if code != source])
        if source and target:
            yield visible(sides[source]), visible(sides[target])


def toolkit_xliff(path, languages):
    xliff = pytest.importorskip("translate.storage.xliff")
    xliff2 = pytest.importorskip("translate.storage.xliff2")
    is_2 = b"urn:oasis:names:tc:xliff:document:2." in path.read_bytes()
    store = xliff2.Xliff2File() if is_2 else xliff.Xliff1File()
    store.parse(path.read_bytes())
    declared = store.document.getroot().get("srcLang") if is_2 else store.getsourcelanguage()
    is_reversed = bool(languages) and wanted(languages[0], [declared]) is None
    for unit in store.units:
        sides = {local(node): node for node in unit.xmlelement if isinstance(node.tag, str)}
        target = sides.get("target")
        if target is None or not (len(target) or (target.text or "").strip()):
            continue
        pair = (visible(sides["source"]), visible(target))
        yield pair[::-1] if is_reversed else pair


def test_the_table_names_every_file(files):
    found = {str(path.relative_to(files)) for path in files.rglob("*") if path.suffix in SUFFIXES}
    assert {row.file for row in ROWS} == found
    assert len(found) == 84


@pytest.mark.parametrize("row", READ, ids=str)
def test_pairs_are_those_of_the_table_and_of_the_toolkit(files, row):
    path = files / row.file
    found = texts(path, row.languages)
    assert f"pairs {len(found)}" == row.expected
    toolkit = toolkit_tmx if path.suffix == ".tmx" else toolkit_xliff
    assert found == list(toolkit(path, row.languages))


@pytest.mark.parametrize("row", REFUSED, ids=str)
def test_refusals_name_file_place_and_cause(files, row):
    path = files / row.file
    with pytest.raises(CorpusError) as caught:
        texts(path, row.languages)
    assert str(path) in str(caught.value)
    assert row.expected.removeprefix("refused ") in str(caught.value)


def without_targets(content):
    return re.sub(rb"\s*<target\b[^>]*(?:(?<=/)>|>.*?</target>)", b"", content, flags=re.DOTALL)


@pytest.mark.parametrize("row", TO_FILL, ids=str)
def test_filled_in_place(files, row, tmp_path):
    path, out = files / row.file, tmp_path / "out.xlf"
    blanks = blanks_xliff(path)
    assert len(blanks) == row.blanks
    fill_xliff(path, out, {number: blank.source for number, blank in enumerate(blanks)})
    assert without_targets(out.read_bytes()) == without_targets(path.read_bytes())
    assert blanks_xliff(out) == []
    before, after = texts(path), texts(out)
    assert len(after) == len(before) + len(blanks)
    copies = [blank.source.text for blank in blanks]
    assert sorted(after) == sorted(before + list(zip(copies, copies, strict=True)))
    filled = out.read_bytes()
    for blank in blanks:
        xml = inner_xml(blank.source).encode()
        assert xml in filled.replace(b"\r\n", b"\n"), "inline tags come along"


@pytest.mark.parametrize("row", READ, ids=str)
def test_written_and_read_again(files, row, tmp_path):
    corpus = corpus_of(files / row.file, row.languages)
    pairs = [pair for pair in corpus.pairs() if pair.target.strip()]
    again = Corpus.of(pairs, source_language="en", target_language="de")
    for name, write in (("x.tmx", write_tmx), ("x.xlf", write_xliff)):
        path = tmp_path / name
        assert write(path, again) == len(pairs)
        assert texts(path) == [(pair.source, pair.target) for pair in pairs]

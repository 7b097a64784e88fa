import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus.formats.markup import INVALID, WHITE, Blank, Marked, marked
from seqloom.corpus.formats.reading import Reading
from seqloom.corpus.formats.xliff import read_xliff
from seqloom.corpus.formats.xliff_fill import blanks_xliff, fill_xliff
from seqloom.corpus.pairs import Corpus
from seqloom.errors import CorpusError

TEXT = st.text(st.characters(exclude_categories=("Cs",))).map(lambda text: INVALID.sub("", text))
FULL = TEXT.filter(lambda text: text.strip(WHITE))

FILE = '<file original="a.txt" source-language="en" target-language="fr"><body>'
HEAD = f'<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">{FILE}'
HEAD_2 = (
    '<xliff version="2.1" xmlns="urn:oasis:names:tc:xliff:document:2.0" srcLang="en" trgLang="fr">'
    '<file id="f1">'
)


def document(body, head=HEAD):
    tail = "</file></xliff>" if head == HEAD_2 else "</body></file></xliff>"
    return f"{head}\n{body}\n{tail}\n"


def put(tmp_path, body, head=HEAD, encoding="utf-8"):
    path = tmp_path / "x.xlf"
    path.write_bytes(document(body, head).encode(encoding))
    return path


def pairs(path):
    return list(Corpus(lambda: read_xliff(path, Reading()), name=path.name).pairs())


BLANKS = """\
    <trans-unit id="1">
      <source>One &amp; <g id="1">two</g><x id="2"/></source>
    </trans-unit>
    <trans-unit id="2"><source>Three</source></trans-unit>
    <trans-unit id="3">
      <source>Four</source>
\t  <seg-source><mrk mtype="seg" mid="0">Four</mrk></seg-source >
      <note>n</note>
    </trans-unit>
    <trans-unit id="4"><source>Five</source> <target state = "new" my="new"/>
    </trans-unit>
    <trans-unit id="5"><source>Six</source><target xml:lang='fr' state='needs-translation'>
    </target></trans-unit>
    <trans-unit id="6"><source>Seven</source><target state="signed-off" /></trans-unit>
    <trans-unit id="7" translate="no"><source>Eight</source><target/></trans-unit>
    <trans-unit id="8"><source>Nine</source><target>Neuf</target></trans-unit>"""

FILLED = """\
    <trans-unit id="1">
      <source>One &amp; <g id="1">two</g><x id="2"/></source>
      <target><x id="2"/>Un &amp; <g id="1">deux</g></target>
    </trans-unit>
    <trans-unit id="2"><source>Three</source><target>&lt;Trois&gt;</target></trans-unit>
    <trans-unit id="3">
      <source>Four</source>
\t  <seg-source><mrk mtype="seg" mid="0">Four</mrk></seg-source >
      <target>Quatre</target>
      <note>n</note>
    </trans-unit>
    <trans-unit id="4"><source>Five</source> <target state = "translated" my="new">Cinq</target>
    </trans-unit>
    <trans-unit id="5"><source>Six</source><target xml:lang='fr' state='translated'>a
b&#13;</target></trans-unit>
    <trans-unit id="6"><source>Seven</source><target state="signed-off">Ж</target></trans-unit>
    <trans-unit id="7" translate="no"><source>Eight</source><target/></trans-unit>
    <trans-unit id="8"><source>Nine</source><target>Neuf</target></trans-unit>"""

TRANSLATIONS = dict(
    enumerate(
        map(
            marked,
            (
                '<x id="2"/>Un &amp; <g id="1">deux</g>',
                "&lt;Trois>",
                "Quatre",
                "Cinq",
                "a\nb&#13;",
                "Ж",
            ),
        )
    )
)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1251"])
def test_filling_changes_targets_only(tmp_path, encoding, line_end):
    declared = {"utf-8-sig": "utf-8", "latin-1": "iso-8859-1", "cp1251": "windows-1251"}
    head = f'<?xml version="1.0" encoding="{declared.get(encoding, encoding)}"?>\n<!-- x -->{HEAD}'
    path = put(tmp_path, BLANKS.replace("\n", line_end), head, encoding)
    out = tmp_path / "out.xlf"
    fill_xliff(path, out, TRANSLATIONS)
    letter = "&#1046;" if encoding == "latin-1" else "Ж"
    filled = FILLED.replace("Ж", letter).replace("\n", line_end)
    assert out.read_bytes() == document(filled, head).encode(encoding)
    assert [pair.target for pair in pairs(out)] == [
        *("Un & deux", "<Trois>", "Quatre", "Cinq", "a\nb\r", "Ж", "Neuf")
    ]
    assert blanks_xliff(out) == []


def test_blanks(tmp_path):
    path = put(tmp_path, BLANKS)
    blanks = blanks_xliff(path)
    assert blanks[0] == Blank(marked('One &amp; <g id="1">two</g><x id="2"/>'), 2, "1")
    assert [(blank.id, blank.line) for blank in blanks] == [
        *(("1", 2), ("2", 5), ("3", 6), ("4", 11), ("5", 13), ("6", 15))
    ]


def test_filling_some_or_none(tmp_path):
    path = put(tmp_path, BLANKS)
    before = path.read_bytes()
    fill_xliff(path, tmp_path / "out.xlf", {})
    assert (tmp_path / "out.xlf").read_bytes() == before
    fill_xliff(path, tmp_path / "out.xlf", {1: Marked(""), 2: Marked("Quatre")})
    assert [pair.target for pair in pairs(tmp_path / "out.xlf")] == ["Quatre", "Neuf"]
    assert [blank.id for blank in blanks_xliff(tmp_path / "out.xlf")] == ["1", "2", "4", "5", "6"]


def test_filling_version_2(tmp_path):
    body = (
        '<unit id="1"><segment state="initial">\n  <source>a<cp hex="0007"/><ph id="1"/></source>\n'
        '  <target order="2"/></segment><segment><source>b</source></segment></unit>'
    )
    path = put(tmp_path, body, HEAD_2)
    fill_xliff(path, path, {0: marked('A<cp hex="0007"/><ph id="1"/>'), 1: Marked("B\ufffe")})
    filled = body.replace('"2"/>', '"2">A<cp hex="0007"/><ph id="1"/></target>')
    filled = filled.replace("b</source>", 'b</source><target>B<cp hex="FFFE"/></target>')
    assert path.read_bytes() == document(filled, HEAD_2).encode()
    assert [pair[:2] for pair in pairs(path)] == [("a\x07", "A\x07"), ("b", "B\ufffe")]


@pytest.mark.parametrize(
    ("translation", "message"),
    [
        (Marked("a\x07"), r"line 2: the translation holds U\+0007, which XML cannot hold"),
        (Marked("a\ud800"), r"line 2: the translation holds U\+D800"),
        (
            marked('a<g id="1">b</g>').tags[0],
            r"line 2: the translation holds tags that do not nest",
        ),
    ],
)
def test_translations_that_would_break_the_file(tmp_path, translation, message):
    path = put(tmp_path, BLANKS)
    if not isinstance(translation, Marked):
        translation = Marked("a", (translation,))
    with pytest.raises(CorpusError, match=message):
        fill_xliff(path, tmp_path / "out.xlf", {0: translation})
    assert not (tmp_path / "out.xlf").exists()


def test_a_broken_file_is_not_filled(tmp_path):
    path = put(tmp_path, BLANKS + "<oops>")
    with pytest.raises(CorpusError, match="mismatched tag"):
        fill_xliff(path, tmp_path / "out.xlf", TRANSLATIONS)
    assert not (tmp_path / "out.xlf").exists()


WHITE_SPACE = st.sampled_from(["", " ", "\n", "\n\t  ", "\r\n    ", "\n\n "])
EMPTY = st.sampled_from(
    ["", "<target/>", "<target a='/>' ></target >", "<target><!-- x --></target>"]
)


@st.composite
def bodies(draw):
    """A file with blanks and, beside it, their translations."""
    parts = []
    translations = {}
    for number in range(draw(st.integers(0, 4))):
        gaps = [draw(WHITE_SPACE) for _ in range(4)]
        parts.append(
            f'<trans-unit id="{number}">{gaps[0]}<source >x &lt; ü</source  >{gaps[1]}'
            f"{draw(EMPTY)}{gaps[2]}<note>{draw(st.sampled_from(['é', '>']))}</note>{gaps[3]}"
            "</trans-unit>"
        )
        if draw(st.booleans()):
            translations[number] = draw(FULL)
    return "".join(parts), translations


def without_targets(text):
    return re.sub(
        r"\s*<target(?:'[^']*'|[^>'/])*(?:/>|>.*?</target\s*>)", "", text, flags=re.DOTALL
    )


@given(bodies(), st.sampled_from(["utf-8", "utf-16", "latin-1"]), st.sampled_from(["", ".gz"]))
def test_filled_files_hold_the_translations_and_all_else(tmp_path_factory, case, encoding, ending):
    body, translations = case
    declared = {"latin-1": "iso-8859-1"}.get(encoding, encoding)
    folder = tmp_path_factory.mktemp("x")
    path = put(folder, body, f'<?xml version="1.0" encoding="{declared}"?>{HEAD}', encoding)
    out = folder / f"out.xlf{ending}"
    fill_xliff(path, out, {number: Marked(text) for number, text in translations.items()})
    assert {int(pair.metadata["id"]): pair.target for pair in pairs(out)} == translations
    fill_xliff(out, folder / "plain.xlf", {})
    before, after = (
        without_targets(file.read_bytes().decode(encoding)) for file in (path, folder / "plain.xlf")
    )
    assert after == before

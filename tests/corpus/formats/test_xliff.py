from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus import Corpus, Pair
from seqloom.corpus.formats.markup import INVALID, WHITE, Marked
from seqloom.corpus.formats.reading import Reading
from seqloom.corpus.formats.xliff import read_xliff, xliff_languages
from seqloom.corpus.formats.xliff_fill import blanks_xliff, fill_xliff
from seqloom.corpus.formats.xliff_writing import write_xliff
from seqloom.errors import CorpusError

TEXT = st.text(st.characters(exclude_categories=("Cs",))).map(lambda text: INVALID.sub("", text))
FULL = TEXT.filter(lambda text: text.strip(WHITE))
METADATA = st.fixed_dictionaries(
    {"id": FULL}, optional={"note": FULL, "context": FULL, "state": st.just("final")}
)
PAIRS = st.lists(st.builds(Pair, TEXT, FULL, METADATA))

FILE = '<file original="a.txt" source-language="en" target-language="fr"><body>'
HEAD = f'<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">{FILE}'
HEAD_2 = (
    '<xliff version="2.1" xmlns="urn:oasis:names:tc:xliff:document:2.0" srcLang="en" trgLang="fr">'
    '<file id="f1" original="a.txt">'
)


def put(tmp_path, body, head=HEAD, encoding="utf-8"):
    path = tmp_path / "x.xlf"
    tail = "</file></xliff>" if head == HEAD_2 else "</body></file></xliff>"
    path.write_bytes(f"{head}\n{body}\n{tail}\n".encode(encoding))
    return path


def corpus_of(path, *languages):
    return Corpus(lambda: read_xliff(path, Reading(None, *languages)), name=path.name)


def pairs(path, *languages):
    return list(corpus_of(path, *languages).pairs())


def texts(path, *languages):
    return [(pair.source, pair.target) for pair in pairs(path, *languages)]


def test_units_of_version_1(tmp_path):
    path = put(
        tmp_path,
        """
<trans-unit id="1"><source>One</source><target>Un</target></trans-unit>
<trans-unit id="2"><source>No target</source></trans-unit>
<trans-unit id="3"><source>Empty</source><target state="new"/></trans-unit>
<trans-unit id="4"><source>White</source><target>
  </target></trans-unit>
<trans-unit id="4a"><source>Comment</source><target><!-- to do -->&#32;</target></trans-unit>
<trans-unit id="5" translate="no"><source>Kept</source><target>Kept</target></trans-unit>
<trans-unit id="6"><source> A <g id="1">b</g><x id="2"/>\tc </source>
  <seg-source><mrk mtype="seg" mid="1">A b</mrk> c</seg-source>
  <target state="final"><mrk mtype="seg" mid="1">A b</mrk>.</target>
  <alt-trans><source>other</source><target>autre</target></alt-trans></trans-unit>
<group><trans-unit id="7"><source><![CDATA[<b>]]></source><note>n1</note>
  <alt-trans><target>proposal</target></alt-trans><target>&lt;b&gt;</target><note>n2</note>
  <context-group><context context-type="x">c1</context><context>c2</context></context-group>
</trans-unit></group>
<trans-unit id="8"><target>no source</target></trans-unit>
<bin-unit id="9"><bin-source/><bin-target/></bin-unit>""",
    )
    assert pairs(path) == [
        Pair("One", "Un", {"id": "1", "file": "a.txt"}),
        Pair("Kept", "Kept", {"id": "5", "file": "a.txt"}),
        Pair(
            " A b\tc ",
            "A b.",
            {
                "id": "6",
                "state": "final",
                "file": "a.txt",
                "source_markup": ' A <g id="1">b</g><x id="2"/>\tc ',
                "target_markup": '<mrk mtype="seg" mid="1">A b</mrk>.',
            },
        ),
        Pair("<b>", "<b>", {"id": "7", "note": "n1\nn2", "context": "c1\nc2", "file": "a.txt"}),
    ]
    assert [blank.id for blank in blanks_xliff(path)] == ["2", "3", "4", "4a"]


def test_segments_of_version_2(tmp_path):
    path = put(
        tmp_path,
        """
<unit id="u1"><notes><note>n1</note><note>n2</note></notes>
  <originalData><data id="d1">&lt;b></data></originalData>
  <segment id="s1" state="final"><source>A <pc id="1">b</pc></source><target>Un</target></segment>
  <ignorable><source> </source><target> </target></ignorable>
  <segment><source>Two<cp hex="0007"/></source><target>Deux</target></segment>
  <segment><source>Three</source></segment></unit>
<group><unit id="u2"><m:matches xmlns:m="urn:m"><m:match ref="#1"><source>x</source>
<target>y</target></m:match></m:matches><segment><source>Four</source><target/></segment></unit>
</group>
<unit id="u3"><segment id="s"><source>Five</source><target>Cinq</target></segment></unit>""",
        HEAD_2,
    )
    assert pairs(path) == [
        Pair(
            "A b",
            "Un",
            {
                "id": "u1/s1",
                "note": "n1\nn2",
                "state": "final",
                "file": "a.txt",
                "source_markup": 'A <pc id="1">b</pc>',
            },
        ),
        Pair("Two\x07", "Deux", {"id": "u1/2", "note": "n1\nn2", "file": "a.txt"}),
        Pair("Five", "Cinq", {"id": "u3/s", "file": "a.txt"}),
    ]
    assert [(blank.id, blank.line) for blank in blanks_xliff(path)] == [("u1/3", 3), ("u2", 9)]


def test_translate_is_handed_down(tmp_path):
    def unit(number, translate=None):
        said = f' translate="{translate}"' if translate else ""
        return f'<unit id="{number}"{said}><segment><source>x</source></segment></unit>'

    body = (
        f'<group translate="no">{unit(1)}{unit(2, "yes")}<group translate="yes">{unit(3)}</group>'
        f"{unit(4)}</group>{unit(5)}<group>{unit(6, 'no')}{unit(7)}</group>"
    )
    path = put(tmp_path, body, HEAD_2)
    assert [blank.id for blank in blanks_xliff(path)] == ["2", "3", "5", "7"]
    body = body.replace("<segment>", "").replace("</segment>", "").replace("unit", "trans-unit")
    assert [blank.id for blank in blanks_xliff(put(tmp_path, body))] == ["2", "3", "5", "7"]


@pytest.mark.parametrize(
    ("root", "message"),
    [
        ('<xliff version="1.0">', None),
        ('<xliff version="1.1" xmlns="urn:oasis:names:tc:xliff:document:1.1">', None),
        ('<xliff xmlns="urn:oasis:names:tc:xliff:document:1.2">', None),
        ("<xliff>", None),
        ('<xliff version="3.0">', "line 1: XLIFF of version 3.0; versions 1.0 to 1.2, 2.0 and 2.1"),
    ],
)
def test_versions(tmp_path, root, message):
    body = "<trans-unit><source>a</source><target>b</target></trans-unit>"
    path = put(tmp_path, body, root + FILE)
    if message is None:
        assert texts(path) == [("a", "b")]
        return
    with pytest.raises(CorpusError, match=message):
        texts(path)


def test_version_2_by_its_namespace_and_with_prefixes(tmp_path):
    path = tmp_path / "x.xlf"
    path.write_text(
        '<x:xliff xmlns:x="urn:oasis:names:tc:xliff:document:2.0" srcLang="en"><x:file id="f">'
        '<x:unit id="u" xmlns="urn:other"><segment><source>no</source></segment><x:segment>\r\n'
        "  <x:source>a</x:source></x:segment></x:unit></x:file></x:xliff>",
        newline="",
    )
    assert xliff_languages(path) == ("en", None)
    assert [blank.source.text for blank in blanks_xliff(path)] == ["a"]
    fill_xliff(path, path, {0: Marked("b")})
    assert b"</x:source>\r\n  <x:target>b</x:target></x:segment>" in path.read_bytes()
    assert texts(path) == [("a", "b")]


def test_languages(tmp_path):
    body = "<trans-unit><source>cat</source><target>chat</target></trans-unit>"
    path = put(tmp_path, body)
    assert xliff_languages(path) == ("en", "fr")
    assert texts(path, "en", "fr") == texts(path, "en-US", "FR_ca") == [("cat", "chat")]
    assert texts(path, "fr", "en") == [("chat", "cat")]
    assert texts(path, None, "en") == texts(path, "fr", None) == [("chat", "cat")]
    with pytest.raises(CorpusError) as caught:
        texts(path, "en", "de")
    assert str(caught.value) == (
        f"{path}: no unit has en and de. Languages found in the file: en, fr. Name source and "
        "target, for example --languages en fr"
    )


def test_reversed_pairs_have_reversed_markup(tmp_path):
    path = put(tmp_path, '<trans-unit><source>a<x id="1"/></source><target>b</target></trans-unit>')
    [pair] = pairs(path, "fr", "en")
    assert pair == Pair("b", "a", {"file": "a.txt", "target_markup": 'a<x id="1"/>'})


@pytest.mark.parametrize(
    ("named", "asked", "pair"),
    [
        ('source-language="en"', (), ("a", "b")),
        ('source-language="en"', ("en", "fr"), ("a", "b")),
        ('source-language="en"', ("fr", "en"), ("b", "a")),
        ('source-language="en"', ("en", None), ("a", "b")),
        ('source-language="en"', (None, "en"), ("b", "a")),
        ('source-language="en"', ("fr", "de"), None),
        ('target-language="fr"', ("en", "fr"), ("a", "b")),
        ("", ("en", "fr"), ("a", "b")),
        ("", (), ("a", "b")),
        ('source-language="en" target-language="en"', (), ("a", "b")),
        ('source-language="en" target-language="en"', ("en", "en"), ("a", "b")),
    ],
)
def test_languages_that_the_file_leaves_out(tmp_path, named, asked, pair):
    body = "<trans-unit><source>a</source><target>b</target></trans-unit>"
    path = put(tmp_path, body, f"<xliff><file {named}><body>")
    if pair is None:
        with pytest.raises(CorpusError, match="no unit has fr and de"):
            texts(path, *asked)
    else:
        assert texts(path, *asked) == [pair]


def test_parts_in_other_languages(tmp_path):
    unit = "<trans-unit><source>{}</source><target>x</target></trans-unit>"
    more = '</body></file>\n<file source-language="en" target-language="de"><body>'
    path = put(tmp_path, unit.format("a") + more + unit.format("b"))
    batches = read_xliff(path, Reading())
    assert next(batches).num_rows == 1
    with pytest.raises(CorpusError, match=r"line 3: it is not clear.*: en, fr, de\. .* en fr$"):
        next(batches)
    assert texts(path, "en", "de") == [("b", "x")]


@given(pairs_=PAIRS, ending=st.sampled_from(["", ".gz", ".xz", ".zst"]))
def test_what_is_written_is_read(tmp_path_factory, pairs_, ending):
    path = tmp_path_factory.mktemp("x") / f"x.xlf{ending}"
    corpus = Corpus.of(pairs_, name="<a>", source_language="en", target_language="pt_BR")
    assert write_xliff(path, corpus) == len(pairs_)
    expected = [pair._replace(metadata={**pair.metadata, "file": "<a>"}) for pair in pairs_]
    assert pairs(path) == expected
    assert texts(path, "pt_BR", "en") == [(pair.target, pair.source) for pair in pairs_]
    assert xliff_languages(path) == ("en", "pt_BR")
    assert blanks_xliff(path) == []


def test_other_programs_read_what_is_written(tmp_path):
    storage = pytest.importorskip("translate.storage.xliff")
    known = {"id": "7", "note": "n & m", "context": "c", "state": "final"}
    tags = {"source_markup": 'x<g id="1">  y</g>'}
    corpus = Corpus.of(
        [Pair('a <b> & "c"', " ü\n", known), Pair("x  y", "😀", tags), Pair("i", "j")],
        source_language="en",
        target_language="de",
    )
    path = tmp_path / "x.xlf"
    write_xliff(path, corpus)
    name = "{urn:oasis:names:tc:xliff:document:1.2}"
    units = list(ElementTree.parse(path).getroot().iter(f"{name}trans-unit"))
    assert [unit.get("id") for unit in units] == ["7", "2", "3"]
    space = "{http://www.w3.org/XML/1998/namespace}space"
    assert [unit.get(space) for unit in units] == ["preserve", "preserve", None]
    assert [child.tag.removeprefix(name) for child in units[0]] == [
        *("source", "target", "context-group", "note")
    ]
    store = storage.xlifffile.parsefile(str(path))
    assert [unit.target for unit in store.units] == [" ü\n", "😀", "j"]
    assert [unit.getnotes() for unit in store.units] == ["n & m", "", ""]
    assert (store.getsourcelanguage(), store.gettargetlanguage()) == ("en", "de")
    assert pairs(path)[1].metadata["source_markup"] == tags["source_markup"]


def test_what_cannot_be_written(tmp_path):
    path = tmp_path / "x.xlf"
    known = {"source_language": "en", "target_language": "de"}
    with pytest.raises(CorpusError, match=r"a \.xlf file names its languages.*--languages en fr"):
        write_xliff(path, Corpus.of([("a", "b")], target_language="de"))
    for text in ("\x07", "\ufffe"):
        with pytest.raises(CorpusError, match=rf"pair 2 has U\+{ord(text):04X} .*\.parquet"):
            write_xliff(path, Corpus.of([("a", "b"), ("c", text)], **known))
    for text in ("", " \r\n\t"):
        with pytest.raises(CorpusError, match=r"pair 2 has an empty target, .*: 'c'\. Write \.jso"):
            write_xliff(path, Corpus.of([("a", "b"), ("c", text)], **known))
    assert not list(tmp_path.iterdir()), "nothing half-written"


def test_states_of_other_versions_are_not_written(tmp_path):
    path = tmp_path / "x.xlf"
    corpus = Corpus.of(
        [Pair("a", "b", {"state": "reviewed"})], source_language="en", target_language="de"
    )
    write_xliff(path, corpus)
    assert pairs(path)[0].metadata == {"id": "1", "file": "pairs in memory"}

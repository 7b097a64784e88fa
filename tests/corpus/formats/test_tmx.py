from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus import Corpus, Pair
from seqloom.corpus.formats.markup import INVALID
from seqloom.corpus.formats.reading import Reading
from seqloom.corpus.formats.tmx import read_tmx, tmx_languages, write_tmx
from seqloom.errors import CorpusError

TEXT = st.text(st.characters(exclude_categories=("Cs",))).map(lambda text: INVALID.sub("", text))
SOME = TEXT.filter(bool)
NAMES = ("id", "note", "context", "file")
METADATA = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, SOME))
PAIRS = st.lists(st.builds(Pair, TEXT, TEXT, METADATA.map(lambda known: known or None)))


def tmx(tmp_path, *units, header='srclang="en"'):
    """A file with a unit for each mapping of languages to inner XML."""
    path = tmp_path / "x.tmx"
    lines = [f'<tmx version="1.4"><header {header}/><body>']
    for unit in units:
        variants = (
            f'<tuv xml:lang="{code.strip("+")}"><seg>{text}</seg></tuv>'
            for code, text in unit.items()
            if code != "tu"
        )
        lines.append(f"<tu {unit.get('tu', '')}>{''.join(variants)}</tu>")
    path.write_text("\n".join((*lines, "</body></tmx>")), "utf-8")
    return path


def corpus_of(path, *languages):
    return Corpus(lambda: read_tmx(path, Reading(None, *languages)), name=path.name)


def texts(path, *languages):
    return [(pair.source, pair.target) for pair in corpus_of(path, *languages).pairs()]


@pytest.mark.parametrize(
    ("header", "unit", "languages", "pair"),
    [
        ('srclang="en"', {"fr": "chat", "en": "cat"}, ("en", "fr"), ("cat", "chat")),
        ('srclang="fr"', {"fr": "chat", "en": "cat"}, ("fr", "en"), ("chat", "cat")),
        ('srclang="*all*"', {"fr": "chat", "en": "cat"}, ("fr", "en"), ("chat", "cat")),
        ("", {"fr": "chat", "en": "cat"}, ("fr", "en"), ("chat", "cat")),
        ('srclang="EN_us"', {"fr": "chat", "en": "cat"}, ("EN_us", "fr"), ("cat", "chat")),
        ('srclang="en"', {"fr": "chat", "en-GB": "cat"}, ("en", "fr"), ("cat", "chat")),
        ('srclang="en"', {"en": "a", "en-US": "b"}, ("en", "en-US"), ("a", "b")),
        ('srclang="en"', {"en-GB": "b", "en": "a", "fr": "c"}, ("en", "fr"), ("a", "c")),
        ('srclang="en"', {"en": "a", "fr": "b", "fr-CA": "c"}, ("en", "fr"), ("a", "b")),
        ('srclang="en"', {"en": "a", "fr": "b", "fr+": "c"}, ("en", "fr"), ("a", "b")),
        ('srclang="de"', {"tu": 'srclang="en"', "fr": "b", "en": "a"}, ("en", "fr"), ("a", "b")),
        ('srclang="en"', {"tu": 'srclang="*all*"', "fr": "b", "en": "a"}, ("fr", "en"), ("b", "a")),
    ],
)
def test_languages_that_the_file_tells(tmp_path, header, unit, languages, pair):
    path = tmx(tmp_path, {"en": "alone"}, unit, header=header)
    assert tmx_languages(path) == languages
    assert texts(path) == [pair]


@pytest.mark.parametrize(
    ("units", "line", "found"),
    [
        ([{"en": "a", "fr": "b", "de": "c"}], 2, "en, fr, de"),
        ([{"en": "a", "fr": "b"}, {"en": "a", "de": "c"}], 3, "en, fr, de"),
        ([{"en": "a", "fr": "b"}, {"en": "a", "fr": "b", "de": "c"}], 3, "en, fr, de"),
        ([{"fr": "a", "de": "b"}], 2, "fr, de"),
        ([{"en": "a", "fr-FR": "b", "fr-CA": "c"}], 2, "en, fr-FR, fr-CA"),
        ([{"en-US": "a", "en-GB": "b", "en": "c"}], 2, "en-US, en-GB, en"),
    ],
)
def test_a_third_language_needs_a_choice(tmp_path, units, line, found):
    path = tmx(tmp_path, *units)
    with pytest.raises(CorpusError) as caught:
        texts(path)
    first, second = found.split(", ")[:2]
    assert str(caught.value) == (
        f"{path}, line {line}: it is not clear which two languages are wanted. Languages found so "
        f"far in the file: {found}. Name source and target, for example --languages {first} "
        f"{second}"
    )


def test_two_varieties_of_a_language_are_two_languages(tmp_path):
    path = tmx(tmp_path, {"en-US": "color", "en-GB": "colour"})
    assert tmx_languages(path) == ("en", "en-GB")
    assert texts(path) == texts(path, "en-US", "en-GB") == [("color", "colour")]


def test_languages_of_a_file_with_more(tmp_path):
    path = tmx(tmp_path, {"fr": "b", "en": "a", "de": "c"})
    assert tmx_languages(path) == ("en", None), "only reading asks for a choice"


def test_pairs_before_a_third_language_are_handed_on(tmp_path):
    path = tmx(tmp_path, {"en": "a", "fr": "b"}, {"en": "a", "de": "c"})
    batches = read_tmx(path, Reading())
    assert next(batches).num_rows == 1
    with pytest.raises(CorpusError, match="--languages en fr"):
        next(batches)
    assert tmx_languages(path) == ("en", "fr")


def test_languages_asked_for(tmp_path):
    path = tmx(
        tmp_path,
        {"en": "cat", "fr": "chat", "de": "Katze"},
        {"en": "dog", "de": "Hund"},
        {"en-GB": "colour", "en-US": "color", "fr": "couleur"},
        {"de": "allein"},
    )
    assert texts(path, "en", "fr") == [("cat", "chat"), ("colour", "couleur")]
    assert texts(path, "de", "en") == [("Katze", "cat"), ("Hund", "dog")]
    assert texts(path, "fr", "de") == [("chat", "Katze")]
    assert texts(path, "en-GB", "en-US") == [("colour", "color")]
    assert texts(path, "en-US", "en-GB") == [("color", "colour")]
    assert texts(path, "en", "en-GB") == [("color", "colour")], "en is the one that is left"
    assert texts(path, "EN_us", "fr-FR") == [("cat", "chat"), ("color", "couleur")]
    with pytest.raises(CorpusError) as caught:
        texts(path, "en", "ja")
    assert str(caught.value) == (
        f"{path}: no unit has en and ja. Languages found in the file: en, fr, de, en-GB, en-US. "
        "Name source and target, for example --languages en fr"
    )


def test_one_language_asked_for(tmp_path):
    path = tmx(tmp_path, {"en": "cat", "fr": "chat"})
    assert texts(path, "fr", None) == [("chat", "cat")]
    assert texts(path, None, "fr") == [("cat", "chat")]
    assert texts(path, None, "en") == [("chat", "cat")]


def test_units_without_two_languages(tmp_path):
    assert texts(tmx(tmp_path)) == []
    assert texts(tmx(tmp_path), "en", "fr") == []
    path = tmx(tmp_path, {"en": "a"}, {"en": "b"})
    with pytest.raises(CorpusError, match=r"no unit has two languages. Languages found.*: en\.$"):
        texts(path)
    assert tmx_languages(path) == (None, None)


def test_a_variant_without_language(tmp_path):
    path = tmp_path / "x.tmx"
    path.write_text("<tmx><body><tu>\n<tuv><seg>a</seg></tuv></tu></body></tmx>")
    with pytest.raises(CorpusError, match=r"x.tmx, line 2: this <tuv> does not say its language"):
        texts(path)


def test_old_and_odd_files(tmp_path):
    path = tmp_path / "x.tmx"
    path.write_text(
        '<tmx version="1.1"><header srclang="EN"><note>not of a unit</note></header><body><tu>'
        "<tuv lang='EN'><note>of a variant</note><seg> cat\n</seg></tuv>\n"
        '<tuv lang="xx" xml:lang = "FR" ><prop type="x">y</prop><seg   >chat</seg  ></tuv>'
        '<tuv lang="DE"></tuv></tu><tu/></body></tmx>'
    )
    assert list(corpus_of(path).pairs()) == [Pair(" cat\n", "chat")]
    path.write_text(
        '<t:tmx xmlns:t="http://www.lisa.org/tmx14" xmlns:o="o"><t:body><t:tu><o:tuv/>'
        '<t:tuv xml:lang="en"><o:seg>other</o:seg><t:seg>cat</t:seg></t:tuv>'
        '<t:tuv xml:lang="fr"><t:seg/></t:tuv></t:tu></t:body></t:tmx>'
    )
    assert list(corpus_of(path).pairs()) == [Pair("cat", "")]


def test_metadata(tmp_path):
    path = tmp_path / "x.tmx"
    path.write_text(
        '<tmx><body><tu tuid="7&amp;"><note>one</note><prop type="file">a/b.html</prop>'
        '<note>two &lt;</note><prop type="x-context">menu</prop><prop type="other">no</prop>'
        '<tuv xml:lang="en"><seg>a <ph x="1">\r\n&lt;br></ph>b</seg></tuv>'
        '<tuv xml:lang="fr"><seg>a &amp; b</seg></tuv></tu></body></tmx>',
        newline="",
    )
    [pair] = corpus_of(path).pairs()
    assert pair.metadata == {
        "id": "7&",
        "note": "one\ntwo <",
        "file": "a/b.html",
        "context": "menu",
        "source_markup": 'a <ph x="1">\r\n&lt;br></ph>b',
    }
    assert (pair.source, pair.target) == ("a b", "a & b")


@given(pairs=PAIRS, ending=st.sampled_from(["", ".gz", ".xz", ".zst"]))
def test_what_is_written_is_read(tmp_path_factory, pairs, ending):
    path = tmp_path_factory.mktemp("x") / f"x.tmx{ending}"
    corpus = Corpus.of(pairs, source_language="en-US", target_language="zh_Hans")
    assert write_tmx(path, corpus) == len(pairs)
    for languages in ((), ("en-US", "zh_Hans")):
        assert list(corpus_of(path, *languages).pairs()) == pairs
    if pairs:
        assert tmx_languages(path) == ("en-US", "zh_Hans")


def test_other_programs_read_what_is_written(tmp_path):
    storage = pytest.importorskip("translate.storage.tmx")
    pairs = [('a <b> & "c"', " ü\n"), ("\tx  y\r", "😀")]
    path = tmp_path / "x.tmx"
    write_tmx(path, Corpus.of(pairs, source_language="en", target_language="de"))
    root = ElementTree.parse(path).getroot()
    found = [seg.text for seg in root.iter("seg")]
    assert found == [text for pair in pairs for text in pair]
    assert root.find("header").attrib["srclang"] == "en"
    store = storage.tmxfile.parsefile(str(path))
    assert [len(unit.getlanguageNodes()) for unit in store.units] == [2, 2]


def test_inline_tags_are_written_where_they_still_fit(tmp_path):
    tags = 'a <bpt i="1">&lt;b></bpt>b<ept i="1">&lt;/b></ept>'
    pairs = [
        Pair("a b", "a b", {"source_markup": tags, "target_markup": "a <x id='1'/>b"}),
        Pair("a B", "b", {"source_markup": tags}),
    ]
    path = tmp_path / "x.tmx"
    write_tmx(path, Corpus.of(pairs, source_language="en", target_language="de"))
    assert list(corpus_of(path).pairs()) == [
        Pair("a b", "a b", {"source_markup": tags}),
        Pair("a B", "b"),
    ]


@pytest.mark.parametrize("character", ["\0", "\x01", "\x1b", "\ufffe", "\uffff"])
def test_characters_that_xml_cannot_hold(tmp_path, character):
    name = f"U\\+{ord(character):04X}"
    for pair in (
        Pair(f"c{character}d", "e"),
        Pair("c", f"d{character}e"),
        Pair("c", "d", {"note": character}),
    ):
        corpus = Corpus.of([Pair("a", "b"), pair], source_language="en", target_language="fr")
        with pytest.raises(CorpusError, match=rf"pair 2 has {name} in a text.*Write \.jsonl"):
            write_tmx(tmp_path / "x.tmx", corpus)
    assert not list(tmp_path.iterdir()), "nothing half-written"


def test_languages_must_be_known_and_differ(tmp_path):
    path = tmp_path / "x.tmx.gz"
    with pytest.raises(CorpusError, match=r"a \.tmx file names its languages.*--languages en fr"):
        write_tmx(path, Corpus.of([("a", "b")], source_language="en"))
    with pytest.raises(CorpusError, match="source and target are both en_US"):
        write_tmx(path, Corpus.of([], source_language="en_US", target_language="EN-us"))

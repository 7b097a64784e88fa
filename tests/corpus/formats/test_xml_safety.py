"""What can be wrong with a file of XML, held against every reader of XML."""

import socket
import tracemalloc

import pytest

from seqloom.corpus.formats import xliff_fill as filling
from seqloom.corpus.formats import xml as module
from seqloom.corpus.formats.markup import Marked
from seqloom.corpus.formats.reading import Reading
from seqloom.corpus.formats.tmx import read_tmx, tmx_languages, write_tmx
from seqloom.corpus.formats.xliff import read_xliff, xliff_languages
from seqloom.corpus.formats.xliff_fill import blanks_xliff, fill_xliff
from seqloom.corpus.pairs import Corpus
from seqloom.errors import CorpusError

TMX = (
    '{head}<tmx version="1.4"><header srclang="en"/><body>\n'
    '<tu tuid="{attribute}"><tuv xml:lang="en"><seg>cat{text}</seg></tuv>'
    '<tuv xml:lang="fr"><seg>chat</seg></tuv></tu>\n</body></tmx>\n'
)
XLIFF = (
    '{head}<xliff version="1.2"><file source-language="en" target-language="fr"><body>\n'
    '<trans-unit id="{attribute}"><source>cat{text}</source><target>chat</target></trans-unit>\n'
    "</body></file></xliff>\n"
)
XLIFF2 = (
    '{head}<xliff version="2.0" srcLang="en" trgLang="fr"><file id="f">\n<unit id="{attribute}">'
    "<segment><source>cat{text}</source><target>chat</target></segment></unit></file></xliff>\n"
)
KINDS = {"x.tmx": TMX, "x.xlf": XLIFF, "x2.xlf": XLIFF2}
EACH = pytest.mark.parametrize("name", sorted(KINDS))


def document(name, head="", text="", attribute="1"):
    return KINDS[name].format(head=head, text=text, attribute=attribute)


def pairs(path, *languages):
    read = read_tmx if path.suffix == ".tmx" else read_xliff
    corpus = Corpus(lambda: read(path, Reading(None, *languages)), name=path.name)
    return [(pair.source, pair.target) for pair in corpus.pairs()]


def put(path, content, encoding="utf-8"):
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def in_pieces(path, size):
    content = path.read_bytes()
    return (content[at : at + size] for at in range(0, len(content), size))


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*arguments):
        raise AssertionError("something is fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


LAUGHS = "".join(
    f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' if i else '<!ENTITY l0 "ha">' for i in range(10)
)


@EACH
@pytest.mark.parametrize(
    ("subset", "text", "named"),
    [
        (LAUGHS, "&l9;", "&l0;"),
        ('<!ENTITY e "text">', "&e;", "&e;"),
        ('<!ENTITY e "never used">', "", "&e;"),
        ('<!ENTITY e SYSTEM "secret.txt">', "&e;", "&e;"),
        ('<!ENTITY e SYSTEM "http://example.org/e">', "&e;", "&e;"),
        ('<!ENTITY e PUBLIC "-//x//y" "http://example.org/e">', "&e;", "&e;"),
        ('<!ENTITY % p SYSTEM "http://example.org/p">\n%p;', "", "%p;"),
        ('<!ENTITY % p "text">', "", "%p;"),
        ("%p;", "", "%p;"),
        ('<!NOTATION n SYSTEM "n"><!ENTITY e SYSTEM "file" NDATA n>', "", "&e;"),
    ],
)
def test_entities_are_refused(tmp_path, no_network, name, subset, text, named):
    put(tmp_path / "secret.txt", "SECRET")
    path = put(tmp_path / name, document(name, f"<!DOCTYPE x [\n{subset}\n]>", text))
    with pytest.raises(CorpusError) as caught:
        pairs(path)
    message = str(caught.value)
    assert f"{name}, line 2: the DOCTYPE declares or uses the entity {named}" in message
    assert "SECRET" not in message


@EACH
@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE tmx SYSTEM "tmx14.dtd">',
        '<!DOCTYPE tmx SYSTEM "http://example.org/tmx14.dtd">',
        '<!DOCTYPE tmx PUBLIC "-//LISA OSCAR:1998//DTD//EN" "tmx14.dtd">',
        "<!DOCTYPE tmx>",
        '<!DOCTYPE tmx SYSTEM "tmx14.dtd" [ <!ELEMENT a (#PCDATA)> ]>',
    ],
)
def test_a_dtd_is_named_but_never_read(tmp_path, no_network, name, doctype):
    put(tmp_path / "tmx14.dtd", '<!ENTITY e "SECRET"><!ENTITY nbsp "&#160;">')
    path = put(tmp_path / name, document(name, doctype, " &amp; &lt;&#233;"))
    assert pairs(path) == [("cat & <é", "chat")]
    for text, attribute in ((" &e;", "1"), ("", "a&e;b"), (' <ph id="&e;"/>', "1")):
        path = put(tmp_path / name, document(name, doctype, text, attribute))
        with pytest.raises(CorpusError, match=rf"{name}, line 2: the entity &e; is not declared"):
            pairs(path)


@EACH
def test_undeclared_entities_without_a_doctype(tmp_path, name):
    for text, attribute in (("&nbsp;", "1"), ("", "&nbsp;")):
        path = put(tmp_path / name, document(name, text=text, attribute=attribute))
        with pytest.raises(CorpusError, match=r"line 2: the entity &nbsp; is not declared.*&#160;"):
            pairs(path)


@EACH
def test_ampersands_that_are_no_references_in_attributes(tmp_path, name):
    head = '<!DOCTYPE tmx SYSTEM "tmx14.dtd">'
    path = put(tmp_path / name, document(name, head, attribute="a &lt; b > c &amp;amp; &#233;"))
    assert pairs(path) == [("cat", "chat")]
    path = put(tmp_path / name, document(name, head, attribute="a > b &e;"))
    with pytest.raises(CorpusError, match="the entity &e; is not declared"):
        pairs(path)


@EACH
@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        (None, "utf-8"),
        (None, "utf-8-sig"),
        ("UTF-8", "utf-8-sig"),
        ("utf8", "utf-8"),
        ("UTF8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        (None, "utf-16"),
        ("UTF-16LE", "utf-16"),
        ("UTF-16", "utf-16-le"),  # no mark, but plain to see
        ("UTF-16", "utf-16-be"),
        (None, "utf-16-be"),
        ("ISO-8859-1", "latin-1"),
        ("iso-8859-15", "iso-8859-15"),
        ("windows-1252", "cp1252"),
        ("macintosh", "mac-roman"),
    ],
)
def test_encodings(tmp_path, name, declared, encoding):
    head = "" if declared is None else f'<?xml version="1.0" encoding="{declared}"?>\n'
    path = put(tmp_path / name, document(name, head, " é &#x416;"), encoding)
    assert pairs(path) == [("cat é Ж", "chat")]
    if encoding.startswith("utf"):
        path = put(tmp_path / name, document(name, head, "<ph id='㸾>'>x</ph> 㸾 Ж 😀"), encoding)
        assert pairs(path) == [("cat 㸾 Ж 😀", "chat")]


@EACH
@pytest.mark.parametrize(
    ("declared", "encoding", "message"),
    [
        ("klingon", "utf-8", "encoding is klingon, which is not known. .*save the file as UTF-8"),
        ("rot13", "utf-8", "encoding is rot13, which is not known"),
        ("idna", "utf-8", "encoding is idna, which is not known"),
        ("Shift_JIS", "shift_jis", "encoding is Shift_JIS, which cannot be read"),
        ("UTF-16", "utf-8", "encoding is UTF-16, which is unknown or not the one it is in"),
        ("UTF-8", "utf-16", "encoding is UTF-8, which is unknown or not the one it is in"),
        ("ISO-8859-1", "utf-16", "encoding is ISO-8859-1, which is unknown or not"),
        ("ISO-8859-1", "utf-8-sig", "encoding is ISO-8859-1, but begins with the mark of UTF-8"),
        (
            "windows-1252",
            "utf-8-sig",
            "encoding is windows-1252, but begins with the mark of UTF-8",
        ),
    ],
)
def test_encodings_that_are_unknown_or_wrong(tmp_path, name, declared, encoding, message):
    head = f'<?xml version="1.0" encoding="{declared}"?>\n'
    path = put(tmp_path / name, document(name, head, " Ж" if "utf" in encoding else ""), encoding)
    with pytest.raises(CorpusError, match=f"{name}, line 1: the file says that its {message}"):
        pairs(path)


@EACH
def test_bytes_that_do_not_fit_the_encoding(tmp_path, name):
    path = put(tmp_path / name, document(name, text="é"), "latin-1")
    with pytest.raises(CorpusError, match=r"line 2: byte 0xe9 does not fit the encoding utf-8"):
        pairs(path)
    head = '<?xml version="1.0" encoding="us-ascii"?>\n'
    path = put(tmp_path / name, document(name, head, "é"))
    with pytest.raises(CorpusError, match=r"line 3: byte 0xc3 does not fit the encoding us-ascii"):
        pairs(path)


@EACH
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"the file is empty; expected <(tmx|xliff)>"),
        (" \n\n ", r", line 3: the file ends before any element; expected <"),
        ('{"source": "cat"}', r", line 1: is not XML \(.*\); expected <"),
        ("cat\tchat\n", r", line 1: is not XML"),
        ("<!DOCTYPE html>\n<html><p>x<br></html>", r", line 2: the file holds <html>; expected <"),
        ("<po>x</po>", r", line 1: the file holds <po>; expected <"),
        ('\n<?xml version="1.0"?><a/>', r", line 2: something stands before <\?xml \.\.\.\?>"),
        ('<?xml version="1.0"?>\n<!-- x', r", line 2: the file ends before any element"),
        (b"PK\x03\x04", r", line 1: is not XML"),
    ],
)
def test_files_that_are_something_else(tmp_path, name, content, message):
    path = put(tmp_path / name, content)
    for read in (pairs, tmx_languages if path.suffix == ".tmx" else xliff_languages):
        with pytest.raises(CorpusError, match=rf"{name}.*{message}"):
            read(path)


@EACH
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<b>", "line 2: is not well-formed XML: mismatched tag, column "),
        ("\x01", "line 2: holds the control character 0x01, which XML forbids"),
        ("&#1;", "line 2: is not well-formed XML: reference to invalid character number"),
        (" & ", "line 2: is not well-formed XML"),
        ("<o:b/>", "line 2: is not well-formed XML: unbound prefix"),
        ("<g>" * 300 + "</g>" * 300, "line 2: elements stand in each other more than 256 deep"),
    ],
)
def test_files_that_are_broken_inside(tmp_path, name, text, message):
    with pytest.raises(CorpusError, match=f"{name}, {message}"):
        pairs(put(tmp_path / name, document(name, text=text)))


@EACH
def test_junk_behind_the_end(tmp_path, name):
    path = put(tmp_path / name, document(name) + "<more/>")
    with pytest.raises(CorpusError, match="is not well-formed XML: junk after document element"):
        pairs(path)


@EACH
def test_wherever_a_file_is_cut_off_the_place_is_told(tmp_path, name):
    whole = document(name, '<?xml version="1.0"?>\n', " é <![CDATA[x]]>").encode().rstrip()
    for cut in range(1, len(whole)):
        path = put(tmp_path / name, whole[:cut])
        with pytest.raises(CorpusError, match=rf"{name}, line \d: the file ends (before|inside)"):
            pairs(path)
    assert pairs(put(tmp_path / name, whole)) == [("cat é x", "chat")]


@EACH
@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda unit: unit[:-9], "the file ends inside <(tuv|trans-unit|segment)>"),
        (lambda unit: f"{unit}</oops>", "is not well-formed XML: mismatched tag"),
        (lambda unit: unit.replace("cat", "&cat;"), "the entity &cat; is not declared"),
    ],
)
def test_pairs_before_an_error_are_handed_on(tmp_path, name, broken, message):
    unit = document(name).splitlines()[1].removesuffix("</file></xliff>")
    head = document(name).split(unit)[0]
    path = put(tmp_path / name, head + f"{unit}\n" * 9000 + broken(unit))
    read = read_tmx if path.suffix == ".tmx" else read_xliff
    batches, rows = read(path, Reading()), 0
    with pytest.raises(CorpusError, match=f"line 9002: {message}"):
        while True:
            rows += next(batches).num_rows
    assert rows == (9001 if "</oops>" in broken(unit) else 9000)


@EACH
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_pieces_in_which_a_file_is_read_do_not_matter(tmp_path, monkeypatch, name, encoding, size):
    doctype = '<?xml version="1.0"?>\n<!DOCTYPE x SYSTEM "d" [ <!ELEMENT a (b)> ]>\n<!-- c > -->'
    text = " é&amp;<ph id='1 > 0'>x</ph><![CDATA[<>]]> 㸾 😀"
    path = put(tmp_path / name, document(name, doctype, text), encoding)
    monkeypatch.setattr(module, "chunks", lambda path: in_pieces(path, size))
    assert pairs(path) == [("cat é&<> 㸾 😀", "chat")]
    for subset in ('<!ENTITY e "x">', "%p;"):
        path = put(tmp_path / name, document(name, f"<!DOCTYPE x [ {subset} ]>"), encoding)
        with pytest.raises(CorpusError, match="the DOCTYPE declares or uses the entity"):
            pairs(path)


@pytest.mark.parametrize("name", ["x.xlf", "x2.xlf"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("size", [1, 5, 64])
def test_pieces_do_not_matter_to_filling(tmp_path, monkeypatch, name, encoding, size):
    before = document(name, text="<ph id='㸾>㸁Ā㸁'/>").replace(
        "<target>chat</target>", "\n  <target a='>㸁Ā㸁'/>"
    )
    path = put(tmp_path / name, before, encoding)
    for place in (module, filling):
        monkeypatch.setattr(place, "chunks", lambda path: in_pieces(path, size))
    assert [blank.source.text for blank in blanks_xliff(path)] == ["cat"]
    fill_xliff(path, tmp_path / "out.xlf", {0: Marked("Жaç")})
    after = before.replace("<target a='>㸁Ā㸁'/>", "<target a='>㸁Ā㸁'>Жaç</target>")
    assert (tmp_path / "out.xlf").read_bytes().decode(encoding) == after


@EACH
def test_units_of_no_end_are_refused(tmp_path, monkeypatch, name):
    monkeypatch.setattr(module, "MAX_UNIT_BYTES", 2**20)
    for text in ("x" * 2**22, f"<!-- {'x' * 2**22} -->"):
        path = put(tmp_path / name, document(name, text=text))
        with pytest.raises(
            CorpusError, match=rf"{name}, line 2: what begins here is longer than 1 MiB"
        ):
            pairs(path)


@pytest.mark.parametrize("name", ["x.tmx", "x.xlf"])
def test_memory_does_not_grow_with_the_file(tmp_path, monkeypatch, name):
    monkeypatch.setattr("seqloom.corpus.streams.CHUNK_BYTES", 2**14)
    monkeypatch.setattr("seqloom.corpus.pairs.BATCH_PAIRS", 256)

    def peak(units):
        text = document(name)
        unit = text.splitlines()[1]
        path = put(tmp_path / name, text.replace(unit, f"{unit}\n" * units))
        read = read_tmx if path.suffix == ".tmx" else read_xliff
        tracemalloc.start()
        assert sum(batch.num_rows for batch in read(path, Reading())) == units
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    small, large = peak(1_500), peak(6_000)
    assert large < 1.3 * small


def test_a_file_that_was_read_is_closed(tmp_path):
    """Warnings are errors: a file that stays open would fail this."""
    path = tmp_path / "x.tmx"
    write_tmx(path, Corpus.of([("a", "b")] * 9, source_language="en", target_language="fr"))
    assert tmx_languages(path) == ("en", "fr")
    next(read_tmx(path, Reading()))

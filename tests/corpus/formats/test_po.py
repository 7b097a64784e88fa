import gzip
import lzma
import shutil
import subprocess
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus import Corpus, Pair, streams
from seqloom.corpus.formats import po_entries, po_lines
from seqloom.corpus.formats.po import po_languages, read_po
from seqloom.corpus.formats.po_write import write_po
from seqloom.corpus.formats.reading import Reading
from seqloom.errors import CorpusError

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1)
TRICKY = st.text(st.sampled_from('\\"\n\r\tnx0#~ aé'), min_size=1)


def put(tmp_path, content, name="x.po"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def corpus(path, **reading):
    return Corpus(lambda: read_po(path, Reading(**reading)), name=path.name)


def pairs(path, **reading):
    return list(corpus(path, **reading).pairs())


def texts(path, **reading):
    return [(pair.source, pair.target) for pair in pairs(path, **reading)]


def headed(charset, body):
    return f'msgid ""\nmsgstr "Content-Type: text/plain; charset={charset}\\n"\n\n{body}'


ENTRY = 'msgid "a"\nmsgstr "é"\n'


def test_an_entry_with_all_that_may_be_said_about_it(tmp_path):
    path = put(
        tmp_path,
        "#  a translator's comment\n#. What the\n#.   program says \n#: a.c:1 b.c:2\n#: c.c:3\n"
        '#, c-format, no-wrap\n#| msgid "old"\nmsgctxt "menu"\nmsgid "Open"\nmsgstr "Öffnen"\n\n'
        'msgid "b"\nmsgstr "c"\n',
    )
    said = {
        "context": "menu",
        "note": "What the\nprogram says",
        "reference": "a.c:1 b.c:2 c.c:3",
        "flags": "c-format, no-wrap",
    }
    assert pairs(path) == [Pair("Open", "Öffnen", said), Pair("b", "c", None)]


def test_what_is_no_pair(tmp_path):
    path = put(
        tmp_path,
        'msgid ""\nmsgstr "Language: de\\n"\n\n'
        'msgid "untranslated"\nmsgstr ""\n\n'
        '#, fuzzy, c-format\nmsgid "guessed"\nmsgstr "x"\n\n'
        '#= fuzzy\nmsgid "guessed too"\nmsgstr "x"\n\n'
        'msgid "kept"\nmsgstr "y"\n\n'
        '#~ msgid "obsolete"\n#~ msgstr "x"\n\n'
        'msgid ""\nmsgstr ""\n\n'
        '#~| msgid "previous"\n#~ msgid "obsolete too"\n#~ msgstr "not closed\n',
    )
    assert pairs(path) == [Pair("kept", "y", None)]


def test_the_flags_of_an_obsolete_entry_do_not_reach_the_next(tmp_path):
    path = put(tmp_path, '#, fuzzy\n#~ msgid "a"\n#~ msgstr "b"\nmsgid "c"\nmsgstr "d"\n')
    assert texts(path) == [("c", "d")]


@pytest.mark.parametrize(
    ("forms", "expected"),
    [
        (["ein", "zwei"], [("one", "ein", "0"), ("many", "zwei", "1")]),
        (
            ["odin", "dva", "pyat"],
            [("one", "odin", "0"), ("many", "dva", "1"), ("many", "pyat", "2")],
        ),
        (["ichi"], [("many", "ichi", "0")]),
        (["ein", ""], [("one", "ein", "0")]),
        (["", "", "pyat"], [("many", "pyat", "2")]),
        (["", ""], []),
    ],
)
def test_plural_forms(tmp_path, forms, expected):
    lines = [f'msgstr[{number}] "{form}"\n' for number, form in enumerate(forms)]
    path = put(tmp_path, 'msgid "one"\nmsgid_plural "many"\n' + "".join(lines))
    found = [(pair.source, pair.target, pair.metadata["plural"]) for pair in pairs(path)]
    assert found == expected


def test_texts_over_several_lines_tabs_and_blank_lines(tmp_path):
    path = put(
        tmp_path,
        '  msgctxt\t""\n\t"con"\n "text"\n\nmsgid\t\t ""\n\n "one\\n"\n "two"  \nmsgstr"eins\\n"\n'
        '"zwei"\nmsgid "p"\nmsgid_plural "q"\nmsgstr [ 0 ] "r"',
    )
    assert texts(path) == [("one\ntwo", "eins\nzwei"), ("q", "r")]
    assert pairs(path)[0].metadata == {"context": "context"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 2**20])
def test_line_ends_and_where_chunks_end(tmp_path, monkeypatch, end, size):
    monkeypatch.setattr(streams, "CHUNK_BYTES", size)
    path = put(tmp_path, f'msgid "a"\n\nmsgstr ""\n"é"\n\n{ENTRY}# end'.replace("\n", end))
    assert texts(path) == [("a", "é"), ("a", "é")]
    entries = list(po_entries.PoFile(path).entries())
    assert [entry.line for entry in entries] == [1, 6]
    content = path.read_bytes()
    spans = [content[begin:stop].decode() for entry in entries for begin, stop in entry.spans]
    assert spans == [f'""{end}"é"', '"é"']
    wrong = put(tmp_path, path.read_bytes() + f"{end}garbage".encode(), "wrong.po")
    with pytest.raises(CorpusError, match=r"wrong\.po, line 9: expected a comment, a keyword"):
        texts(wrong)


def test_spans_behind_a_byte_order_mark(tmp_path):
    path = put(tmp_path, ("\ufeff" + ENTRY).encode())
    ((begin, end),) = next(po_entries.PoFile(path).entries()).spans
    assert path.read_bytes()[begin:end].decode() == '"é"'


def test_escapes(tmp_path):
    body = (
        r'msgid "\a\b\f\n\r\t\v\\\"\101\1012\x41"' + "\n" + r'msgstr "\303\251x\xc3\xa9\\n"' + "\n"
    )
    expected = ('\a\b\f\n\r\t\v\\"AA2A', "éxé\\n")
    assert texts(put(tmp_path, body)) == [expected]
    latin = put(tmp_path, headed("ISO-8859-1", r'msgid "a"' + "\n" + r'msgstr "\351\xe9"' + "\n"))
    assert texts(latin) == [("a", "éé")]


@pytest.mark.parametrize(
    ("charset", "codec", "text"),
    [
        ("CHARSET", "utf-8", "é"),
        ("utf8", "utf-8", "я"),
        ("UTF-8", "utf-8-sig", "я"),
        ("utf-8-sig", "utf-8", "я"),
        ("ISO_8859-15", "iso8859-15", "Œuvre €"),
        ("ISO8859-1", "latin-1", "déjà vu"),
        ("CP1251", "cp1251", "Ђёж"),
        ("koi8-r", "koi8-r", "Привет"),
        ("EUC-JP", "euc-jp", "日本語"),
        ("ISO-2022-JP", "iso2022-jp", "日本語"),
        ("SHIFT_JIS", "shift_jis", "表ソ"),  # both end in the byte of a backslash
        ("BIG5", "big5", "功許"),  # these too
        ("GB18030", "gb18030", "你好€"),
        ("US-ASCII", "ascii", "plain"),
    ],
)
def test_charsets(tmp_path, charset, codec, text):
    body = headed(charset, f'msgid "a"\nmsgstr "{text}"\n').encode(codec)
    assert texts(put(tmp_path, body)) == [("a", text)]


def test_without_a_header_or_a_charset_it_is_utf8(tmp_path):
    assert texts(put(tmp_path, ENTRY)) == [("a", "é")]
    assert texts(put(tmp_path, 'msgid ""\nmsgstr "Language: fr\\n"\n' + ENTRY)) == [("a", "é")]


def test_the_header_may_stand_anywhere_and_in_any_shape(tmp_path):
    header = 'msgid ""\n""\nmsgstr ""\n"Content-Type: text/plain; "\n"charset=KOI8-R\\n"\n'
    context = 'msgctxt "c"\nmsgid ""\nmsgstr "charset=ASCII\\n"\n'
    path = put(tmp_path, (context + ENTRY + header).replace("é", "ж").encode("koi8-r"))
    assert texts(path) == [("", "charset=ASCII\n"), ("a", "ж")]


def test_comments_in_another_charset_do_no_harm(tmp_path):
    path = put(tmp_path, b'# Jos\xe9\n#~ msgid "\xe9"\n' + ENTRY.encode())
    assert texts(path) == [("a", "é")]
    with pytest.raises(CorpusError, match=r"line 1: byte 0xe9 is not UTF-8"):
        texts(put(tmp_path, b"#. Jos\xe9\n" + ENTRY.encode()))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            headed("CP1251", ENTRY).encode(),
            r"x\.po, line 2: the header names the charset CP1251, but the content is UTF-8\. "
            r"Write charset=UTF-8 in the header",
        ),
        (headed("US-ASCII", ENTRY).encode(), "charset US-ASCII, but the content is UTF-8"),
        (
            headed("UTF-8", ENTRY).encode("latin-1"),
            r"x\.po, line 5: byte 0xe9 does not fit the charset UTF-8 that the header names",
        ),
        (headed("CP1251", ENTRY).encode("latin-1").replace(b"\xe9", b"\x98"), "line 5: byte 0x98"),
        (ENTRY.encode("latin-1"), "line 2: byte 0xe9 is not UTF-8, and the header names no other"),
        (headed(" koi8-r", ENTRY).encode("koi8-r", "ignore") + b'msgid "\xc1"\n', "right behind"),
        (headed("foo", ENTRY), r"line 2: the header names the charset foo, which is unknown or"),
        (headed("hex", ENTRY), "charset hex, which is unknown or not based on ASCII"),
        (headed("UTF-16", ENTRY), "charset UTF-16, which is unknown or not based on ASCII"),
        (headed("UTF-7", ENTRY), "charset UTF-7, which is unknown or not"),
        (headed("unicode_escape", ENTRY), "which is unknown or not"),
        (headed("raw_unicode_escape", ENTRY), "which is unknown or not"),
        (ENTRY.encode("utf-16"), r"line 1: holds a NUL byte, as UTF-16 does.*iconv -f UTF-16"),
        (ENTRY.encode("utf-16-le"), "line 1: holds a NUL byte"),
        (ENTRY.encode("utf-16-be"), "line 1: holds a NUL byte"),
        (b'msgid "a"\nmsgstr "b\0"\n', "line 2: holds a NUL byte"),
    ],
)
def test_wrong_charsets(tmp_path, content, message):
    with pytest.raises(CorpusError, match=message):
        texts(put(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('msgid "a"\nmsgstr "b\n', r"line 2: the quote is not closed: msgstr \"b\."),
        ('msgid "a"\nmsgstr "b\\"\n', "line 2: the quote is not closed"),
        ('msgid "a"\nmsgstr "b\\', "line 2: the quote is not closed"),
        ('msgid "a"\nmsgstr b\n', "line 2: expected one text in quotes and nothing else"),
        ('msgid "a"\nmsgstr "b" "c"\n', "line 2: expected one text in quotes and nothing else"),
        ('msgid "a"\nmsgstr "he said "b""\n', r'a quote inside a text is written \\"'),
        ('msgid "a"\nmsgstr "b"\n\nhello\n', "line 4: expected a comment, a keyword or a text"),
        ('"a"\n', "line 1: a text without a keyword before it"),
        ('# c\n\n"a"\nmsgid "a"\n', "line 3: a text without a keyword before it"),
        ('msgstr "b"\n', "line 1: msgstr stands at the start of an entry; expected msgctxt or msg"),
        ('msgid "a"\nmsgid "b"\n', "line 2: msgid stands after msgid; expected msgid_plural or"),
        ('msgid "a"\nmsgctxt "b"\n', "line 2: msgctxt stands after msgid"),
        ('msgctxt "a"\nmsgstr "b"\n', "line 2: msgstr stands after msgctxt; expected msgid"),
        ('msgid "a"\nmsgstr "b"\nmsgid_plural "c"\n', "line 3: msgid_plural stands after msgstr"),
        ('msgid "a"\nmsgfoo "b"\n', "line 2: msgfoo stands after msgid"),
        ('msgid[0] "a"\n', "line 1: only msgstr has plural forms, not msgid"),
        ('msgid "a"\nmsgstr "b"\nmsgstr "c"\n', "line 3: a second msgstr in one entry"),
        ('msgid "a"\nmsgstr[0] "b"\n', r"line 2: msgstr\[0\] in an entry without msgid_plural"),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr "c"\n', r"msgstr where msgstr\[0\] is expected"),
        (
            'msgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"\nmsgstr[2] "d"\n',
            r"line 4: msgstr\[2\] where msgstr\[1\] is expected",
        ),
        ('msgid "a"\n# c\nmsgstr "b"\n', "line 2: the entry of line 1 has no msgstr; found a comm"),
        ('msgid "a"\n#~ c\n', "line 2: the entry of line 1 has no msgstr"),
        (
            '\nmsgctxt "c"\nmsgid "a"\n"cut off"\n',
            "line 4: the entry of line 2 has no msgstr; found the end of the file",
        ),
        ('msgid "a"\nmsgstr "\\q"\n', r"line 2: \\q is no escape for a character"),
        ('msgid "a"\nmsgstr "\\400"\n', r"line 2: \\400 is no escape"),
        ('msgid "a"\nmsgstr "\\x41bc"\n', r"line 2: \\x41bc is no escape"),
        ('msgid "a"\nmsgstr "x\\0"\n', r"line 2: \\0 is no escape"),
        ('msgid "a"\nmsgstr "\\303x"\n', r"line 2: \\303 is no escape"),
        ("<html>\n", "line 1: expected a comment, a keyword or a text in quotes, found <html>"),
    ],
)
def test_syntax_errors(tmp_path, content, message):
    with pytest.raises(CorpusError, match=rf"x\.po, .*{message}"):
        texts(put(tmp_path, content))


@pytest.mark.parametrize(
    ("broken", "kept"),
    [
        ("garbage", 9000),
        ('msgid "a', 9000),
        ('msgid "\\q"', 9000),
        ('msgid_plural "a"', 9000),
        ('"goes on', 8999),
        ('msgstr[1] "a"', 8999),
    ],
)
def test_whole_pairs_before_an_error_are_handed_on(tmp_path, broken, kept):
    body = "".join(f'msgid "{number}"\nmsgstr "x"\n' for number in range(9000))
    found = []
    with pytest.raises(CorpusError, match="line 18001: "):
        found.extend(read_po(put(tmp_path, f"{body}{broken}\n"), Reading()))
    assert sum(batch.num_rows for batch in found) == kept


def test_only_comments_or_nothing_are_no_pairs(tmp_path):
    assert texts(put(tmp_path, "# nothing yet")) == []
    assert texts(put(tmp_path, "\n\n")) == []


@pytest.mark.parametrize("content", ['msgid "a"\nmsgstr "' + 100 * "b" + '"\n', "# a\n" * 30])
def test_what_would_fill_the_memory_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.setattr(po_lines, "MAX_BYTES", 64)
    monkeypatch.setattr(streams, "CHUNK_BYTES", 8)
    monkeypatch.setattr(po_entries, "MAX_BYTES", 64)
    with pytest.raises(CorpusError, match=r"line \d+: .*(longer|larger) than 64 bytes"):
        texts(put(tmp_path, content))


def test_memory_does_not_grow_with_the_file(tmp_path):
    texts(put(tmp_path, ENTRY))  # what is loaded at the first use is not counted
    path = tmp_path / "large.po"
    with path.open("w") as file:
        for number in range(20_000):
            file.write(f'# {"z" * 1000}\nmsgid "{number}"\nmsgstr "{"y" * 50}"\n\n')
    tracemalloc.start()
    try:
        count = sum(batch.num_rows for batch in read_po(path, Reading()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 12e6 < path.stat().st_size


@pytest.mark.parametrize(
    ("name", "pack"), [("x.po.gz", gzip.compress), ("x.po.xz", lzma.compress), ("x.pot", bytes)]
)
def test_compressed_files_and_templates(tmp_path, name, pack):
    assert texts(put(tmp_path, pack(ENTRY.encode()), name)) == [("a", "é")]


def test_the_language_of_the_header(tmp_path):
    def languages(text):
        return po_languages(put(tmp_path, f'msgid ""\nmsgstr ""\n"{text}"\n' + "garbage\n"))

    assert languages("Language-Team: German\\nLanguage: pt_BR\\n") == (None, "pt_BR")
    assert languages("Language: sr@latin\\n") == (None, "sr@latin")
    assert languages("Language: \\nLanguage-Team: German\\n") == (None, None)
    assert po_languages(put(tmp_path, ENTRY)) == (None, None)


def test_languages_asked_for(tmp_path):
    path = put(tmp_path, 'msgid ""\nmsgstr "Language: bg_BG\\n"\n\nmsgid "a"\nmsgstr "б"\n')
    plain, turned = [("a", "б")], [("б", "a")]
    assert texts(path, target_language="bg") == plain
    assert texts(path, source_language="en", target_language="bg-BG") == plain
    assert texts(path, source_language="bg") == plain, "one language alone does not turn the pairs"
    assert texts(path, source_language="bg", target_language="en") == turned
    with pytest.raises(CorpusError, match=r"x\.po: its header says Language: bg_BG, but de was as"):
        texts(path, target_language="de")
    with pytest.raises(CorpusError, match=r"Language: bg_BG, but de was asked"):
        texts(path, source_language="en", target_language="de")
    unnamed = put(tmp_path, ENTRY)
    assert texts(unnamed, source_language="de", target_language="fr") == [("a", "é")]
    latin = put(tmp_path, 'msgid ""\nmsgstr "Language: sr@latin\\n"\n' + ENTRY)
    assert texts(latin, target_language="sr") == [("a", "é")]


def written(path, given, **languages):
    count = write_po(path, Corpus.of(given, **languages))
    assert count == len(given)
    return path.read_bytes().decode()


def test_what_is_written(tmp_path):
    said = {
        "context": "menu",
        "note": "first\n\nsecond",
        "reference": "a.c:1\nb.c:2",
        "flags": "c-format, fuzzy, x y",
    }
    path = tmp_path / "x.po"
    text = written(
        path,
        [Pair("a\tb", 'say "c"\\', said), Pair("one\n", "eins\nzwei\n")],
        target_language="pt-BR",
    )
    assert text == (
        'msgid ""\nmsgstr ""\n"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=UTF-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
        '"Language: pt-BR\\n"\n\n'
        "#. first\n#. second\n#: a.c:1 b.c:2\n#, c-format\n"
        'msgctxt "menu"\nmsgid "a\\tb"\nmsgstr "say \\"c\\"\\\\"\n\n'
        'msgid "one\\n"\nmsgstr ""\n"eins\\n"\n"zwei\\n"\n'
    )
    assert po_languages(path) == (None, "pt-BR")
    kept = {"context": "menu", "note": "first\nsecond", "reference": "a.c:1 b.c:2"}
    assert pairs(path)[0].metadata == kept | {"flags": "c-format"}


def test_repeated_sources_get_numbered_contexts(tmp_path):
    path = tmp_path / "x.po"
    menu, two = {"context": "menu"}, {"context": "2"}
    given = [Pair("a", "1"), Pair("a", "2"), Pair("b", "1"), Pair("a", "2"), Pair("a", "x", two)]
    given += [Pair("a", "4"), Pair("a", "m", menu), Pair("a", "n", menu)]
    written(path, given)
    assert texts(path) == [pair[:2] for pair in given]
    contexts = [(pair.metadata or {}).get("context") for pair in pairs(path)]
    assert contexts == [None, "2", None, "3", "2 2", "4", "menu", "menu 2"]


@given(
    given=st.lists(
        st.builds(
            Pair,
            TEXT | TRICKY,
            TEXT | TRICKY,
            st.none()
            | st.dictionaries(st.sampled_from(["context", "note", "reference", "flags"]), TEXT),
        )
    )
)
def test_round_trip(given, tmp_path_factory):
    path = tmp_path_factory.mktemp("po") / "x.po"
    written(path, given)
    found = pairs(path)
    assert [pair[:2] for pair in found] == [pair[:2] for pair in given]
    keys = [((pair.metadata or {}).get("context"), pair.source) for pair in found]
    assert len(set(keys)) == len(keys), "gettext knows no two entries of the same key"


@given(given=st.lists(st.tuples(TEXT | TRICKY, TEXT | TRICKY), unique_by=lambda pair: pair[0]))
def test_other_programs_read_what_was_written(given, tmp_path_factory):
    polib = pytest.importorskip("polib")
    toolkit = pytest.importorskip("translate.storage.po")
    path = tmp_path_factory.mktemp("po") / "x.po"
    written(path, given)
    assert [(entry.msgid, entry.msgstr) for entry in polib.pofile(str(path))] == given
    store = toolkit.pofile()
    store.parse(path.read_bytes())
    units = [unit for unit in store.units if not unit.isheader()]
    assert [(str(unit.source), str(unit.target)) for unit in units] == given


def test_gettext_compiles_what_was_written(tmp_path):
    program = shutil.which("msgfmt") or pytest.skip("msgfmt of GNU gettext is not installed")
    path = tmp_path / "x.po"
    given = [("a", "é"), ("a", "b"), ('"q" \\ \t\n', "line\n\nline\n"), ("\x01\x7f", "я")]
    written(path, given, target_language="fr")
    checks = ["--check-format", "--check-domain"]  # the header fields of a project are not ours
    run = subprocess.run([program, *checks, "-o", tmp_path / "x.mo", path], capture_output=True)
    assert (run.returncode, run.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (Pair("", "x"), "pair 3 has an empty source text.*write .jsonl or .parquet"),
        (Pair("x", ""), "pair 3 has an empty target text"),
        (Pair("x\0", "y"), "pair 3 has a NUL character"),
        (Pair("x", "\0"), "pair 3 has a NUL character"),
        (Pair("x", "y", {"note": "\0"}), "pair 3 has a NUL character"),
    ],
)
def test_what_cannot_be_written(tmp_path, pair, message):
    path = tmp_path / "x.po"
    with pytest.raises(CorpusError, match=message):
        write_po(path, Corpus.of([Pair("a", "b"), Pair("c", "d"), pair]))
    assert list(tmp_path.iterdir()) == []

import gzip
import shutil
import struct
import subprocess
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus import Corpus, Pair
from seqloom.corpus.formats.mo import mo_languages, read_mo
from seqloom.corpus.formats.po_write import write_po
from seqloom.corpus.formats.reading import Reading
from seqloom.errors import CorpusError

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\x04"), min_size=1)


def compiled(entries, order="<", version=0):
    """An MO file with these byte strings, in the order given."""
    begin = 28 + 16 * len(entries)
    places, texts = [], []
    for text in (side for sides in zip(*entries, strict=True) for side in sides):
        places += [len(text), begin]
        texts.append(text + b"\0")
        begin += len(texts[-1])
    tables = (28, 28 + 8 * len(entries))
    head = struct.pack(f"{order}7I", 0x950412DE, version, len(entries), *tables, 0, 28)
    return head + struct.pack(f"{order}{len(places)}I", *places) + b"".join(texts)


def header(text):
    return (b"", text.encode())


def put(tmp_path, content, name="x.mo"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def pairs(path, **reading):
    return list(Corpus(lambda: read_mo(path, Reading(**reading)), name="x").pairs())


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [0, 1, 0x10000, 0x10001])
def test_texts_contexts_and_plurals(tmp_path, order, version):
    entries = [
        header("Content-Type: text/plain; charset=KOI8-R\nLanguage: ru\n"),
        (b"a", "ж".encode("koi8-r")),
        (b"menu\x04Open", "Открыть".encode("koi8-r")),
        (b"one\0many", b"1\0002\0003"),
        (b"empty", b""),
    ]
    path = put(tmp_path, compiled(entries, order, version))
    plural = [("one", "1", "0"), ("many", "2", "1"), ("many", "3", "2")]
    assert pairs(path) == [
        Pair("a", "ж", None),
        Pair("Open", "Открыть", {"context": "menu"}),
        *(Pair(source, target, {"plural": form}) for source, target, form in plural),
    ]
    assert mo_languages(path) == (None, "ru")
    assert pairs(path, source_language="ru", target_language="en")[0] == Pair("ж", "a", None)
    with pytest.raises(CorpusError, match=r"x\.mo: its header says Language: ru, but de was asked"):
        pairs(path, target_language="de")


def test_the_only_form_translates_the_plural_and_utf8_needs_no_header(tmp_path):
    path = put(tmp_path, compiled([(b"one\0many", "多".encode())]))
    assert pairs(path) == [Pair("many", "多", {"plural": "0"})]
    assert mo_languages(path) == (None, None)
    assert pairs(put(tmp_path, compiled([]))) == []
    assert pairs(put(tmp_path, gzip.compress(compiled([(b"a", b"b")])), "x.mo.gz"))[0][:2] == (
        "a",
        "b",
    )


GOOD = compiled([header("charset=UTF-8\n"), (b"a", b"b"), (b"c", "é".encode())])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"msgid", r"x\.mo: is not an MO file, or is damaged: it is shorter than the 28 bytes"),
        (b"msgid" * 10, r"x\.mo: is not an MO file, or is damaged: it begins with b'msgi'"),
        (compiled([(b"a", b"b")], version=0x420000), r"MO files of version 66 are not known"),
        (compiled([(b"a", b"b")], version=0x20000), r"MO files of version 2 are not known"),
        (GOOD[:40], "its tables of 3 texts reach beyond its end"),
        (GOOD[:-2], "text 3 reaches beyond its end"),
        (compiled([(b"a", b"b\0c")]), "text 1 has plural forms in one language only"),
        (compiled([header("charset=foo")]), r"x\.mo: the header names the charset foo, which is"),
        (
            compiled([header("charset=CP1251"), (b"a", "б".encode())]),
            r"x\.mo: the header names the charset CP1251, but the content is UTF-8",
        ),
        (
            compiled([header("charset=UTF-8"), (b"a", b"\xe9")]),
            r"x\.mo, text 2: byte 0xe9 does not fit the charset UTF-8",
        ),
    ],
)
def test_what_is_refused(tmp_path, content, message):
    with pytest.raises(CorpusError, match=message):
        pairs(put(tmp_path, content))


@given(cut=st.integers(0, len(GOOD) - 2))
def test_a_file_that_is_cut_off_is_never_read_as_a_whole(cut, tmp_path_factory):
    path = put(tmp_path_factory.mktemp("mo"), GOOD[:cut])
    with pytest.raises(CorpusError, match=r"x\.mo: is not an MO file, or is damaged"):
        pairs(path)


@given(entries=st.dictionaries(TEXT, TEXT), order=st.sampled_from("<>"))
def test_any_text(entries, order, tmp_path_factory):
    raw = sorted((source.encode(), target.encode()) for source, target in entries.items())
    path = put(tmp_path_factory.mktemp("mo"), compiled(raw, order))
    assert {pair.source: pair.target for pair in pairs(path)} == entries


def test_memory_does_not_grow_with_the_file(tmp_path):
    entries = [(b"%06d %s" % (number, b"x" * 150), b"y" * 150) for number in range(50_000)]
    path = put(tmp_path, compiled(entries))
    pairs(put(tmp_path, GOOD, "small.mo"))  # what is loaded at the first use is not counted
    tracemalloc.start()
    try:
        count = sum(batch.num_rows for batch in read_mo(path, Reading()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 50_000
    assert peak < 12e6 < path.stat().st_size


def test_what_gettext_compiled(tmp_path):
    program = shutil.which("msgfmt") or pytest.skip("msgfmt of GNU gettext is not installed")
    plain = tmp_path / "x.po"
    given = [Pair("b", "é"), Pair("a\n", "b\n"), Pair("b", "я"), Pair("b", "x", {"context": "m"})]
    write_po(plain, Corpus.of(given, target_language="fr"))
    subprocess.run([program, "-o", tmp_path / "x.mo", plain], check=True)
    found = [pair[:2] for pair in pairs(tmp_path / "x.mo")]
    assert sorted(found) == sorted(pair[:2] for pair in given)
    assert mo_languages(tmp_path / "x.mo") == (None, "fr")

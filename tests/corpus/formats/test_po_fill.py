import gzip
import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus import Corpus, streams
from seqloom.corpus.formats.markup import Blank, Marked
from seqloom.corpus.formats.po import read_po
from seqloom.corpus.formats.po_fill import blanks_po, fill_po
from seqloom.corpus.formats.reading import Reading
from seqloom.errors import CorpusError

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
TRICKY = st.text(st.sampled_from('\\"\n\r\tnx0#~ aé'))


def put(tmp_path, content, name="x.po"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def filled(path, *translations, out=None):
    out = out or path.with_name("out.po")
    fill_po(path, out, {n: Marked(text) for n, text in enumerate(translations) if text is not None})
    return out.read_bytes()


def texts(path):
    return [pair[:2] for pair in Corpus(lambda: read_po(path, Reading()), name="x").pairs()]


def test_blanks(tmp_path):
    path = put(
        tmp_path,
        'msgid ""\nmsgstr ""\n\n#, fuzzy\nmsgid "guessed"\nmsgstr ""\n\n'
        'msgid "done"\nmsgstr "x"\n\n#: a.c\nmsgctxt "menu"\nmsgid "Open"\nmsgstr ""\n\n'
        '#~ msgid "old"\n#~ msgstr ""\n\nmsgid ""\n"two\\n"\n"lines"\nmsgstr ""\n""\n',
    )
    assert blanks_po(path) == [
        Blank(Marked("Open"), 12, "menu"),
        Blank(Marked("two\nlines"), 19, None),
    ]
    assert filled(path) == path.read_bytes()
    assert filled(path, "Öffnen", "zwei\nZeilen") == path.read_bytes().replace(
        b'"Open"\nmsgstr ""', '"Open"\nmsgstr "Öffnen"'.encode()
    ).replace(b'msgstr ""\n""\n', b'msgstr ""\n"zwei\\n"\n"Zeilen"\n')
    assert filled(path, None, "x").endswith(b'lines"\nmsgstr "x"\n')


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 7, 2**20])
@pytest.mark.parametrize("last", ["", "\n"])
def test_line_ends_chunks_and_a_last_line_without_end(tmp_path, monkeypatch, end, size, last):
    monkeypatch.setattr(streams, "CHUNK_BYTES", size)
    body = f'\ufeff# é\n\tmsgid "a"\n\tmsgstr\t""  \nmsgid "b"\nmsgstr ""{last}'.replace("\n", end)
    path = put(tmp_path, body)
    expected = body.replace('msgstr\t""', 'msgstr\t"1"')
    expected = expected.replace('msgstr ""', f'msgstr ""{end}"é\\n"{end}"2"')
    assert filled(path, "1", "é\n2").decode() == expected


def plural(targets, forms=None):
    head = f'msgid ""\nmsgstr "Plural-Forms: nplurals={forms};\\n"\n\n' if forms else ""
    lines = "".join(f'msgstr[{n}] "{target}"\n' for n, target in enumerate(targets))
    return f'{head}msgid "one"\nmsgid_plural "many"\n{lines}\nmsgid "a"\nmsgstr ""\n'


@pytest.mark.parametrize(
    ("targets", "forms", "sources", "translations", "result"),
    [
        (["", ""], None, ["one", "many"], ["1", "2"], ["1", "2"]),
        (["", ""], None, ["one", "many"], [None, "2"], ["", "2"]),
        (["x", ""], None, ["many"], ["2"], ["x", "2"]),
        ([""], None, ["many"], ["1"], ["1"]),
        ([""], 1, ["many"], ["1"], ["1"]),
        (["", ""], 3, ["one", "many", "many"], ["1", "2", "3"], ["1", "2", "3"]),
        (["", ""], 3, ["one", "many", "many"], ["1", "2", None], ["1", "2"]),
        (["", ""], 4, ["one", "many", "many", "many"], ["1", None, None, "4"], ["1", "", "", "4"]),
        (["", ""], 4, ["one", "many", "many", "many"], ["1", "2", "3", None], ["1", "2", "3"]),
        (["x", "y"], 3, ["many"], ["3"], ["x", "y", "3"]),
        (["x", "y"], 2, [], [], ["x", "y"]),
        (["", ""], 1, ["one", "many"], ["1", "2"], ["1", "2"]),
    ],
)
def test_plural_forms(tmp_path, targets, forms, sources, translations, result):
    path = put(tmp_path, plural(targets, forms))
    assert [blank.source.text for blank in blanks_po(path)] == [*sources, "a"]
    expected = plural(result, forms).replace('"a"\nmsgstr ""', '"a"\nmsgstr "z"')
    assert filled(path, *translations, "z").decode() == expected
    assert ("a", "z") in texts(tmp_path / "out.po")


def test_missing_forms_at_the_end_of_a_file_without_line_end(tmp_path):
    body = plural(["x"], 3).partition('\n\nmsgid "a"')[0]
    path = put(tmp_path, body)
    assert filled(path, "y", "z").decode() == f'{body}\nmsgstr[1] "y"\nmsgstr[2] "z"'


@pytest.mark.parametrize(
    ("charset", "codec", "translation"),
    [
        ("KOI8-R", "koi8-r", "Привет\nмир"),
        ("ISO_8859-15", "iso8859-15", "Œuvre €"),
        ("SHIFT_JIS", "shift_jis", "表"),
        ("GB18030", "gb18030", "你好"),
    ],
)
def test_the_charset_of_the_file(tmp_path, charset, codec, translation):
    header = f'msgid ""\nmsgstr "Content-Type: text/plain; charset={charset}\\n"\n'
    done = f'msgid "a"\nmsgstr "{translation[0]}"\n'
    path = put(tmp_path, f'{header}\n{done}\nmsgid "b"\nmsgstr ""\n'.encode(codec))
    quoted = '""\n"Привет\\n"\n"мир"' if "\n" in translation else f'"{translation}"'
    expected = f'{header}\n{done}\nmsgid "b"\nmsgstr {quoted}\n'
    assert filled(path, translation).decode(codec) == expected
    assert texts(tmp_path / "out.po")[1] == ("b", translation)


def test_characters_that_the_file_cannot_hold(tmp_path):
    body = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=ISO-8859-1\\n"\n\n'
    path = put(tmp_path, body + 'msgid "a"\nmsgstr ""\n')
    before = sorted(tmp_path.iterdir())
    with pytest.raises(
        CorpusError,
        match=r"x\.po, line 4: the translation holds '€', which the charset of the file "
        r"\(iso8859-1\) does not have\. Convert the file to UTF-8",
    ):
        filled(path, "5 €")
    with pytest.raises(CorpusError, match="line 4: the translation holds a NUL character"):
        filled(path, "\0")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("source", "translation", "result"),
    [
        ("a\\n", "b", '"b\\n"'),
        ("a", "b\n\n", '"b"'),
        ("\\na", "b", '""\n"\\n"\n"b"'),
        ("a", "\nb", '"b"'),
        ("\\na\\n", "\nb\n", '""\n"\\n"\n"b\\n"'),
        ("a\\n", "b\n\n", '""\n"b\\n"\n"\\n"'),
        ("a", "\n", '""'),
        ("a\\n", "", '""'),
    ],
)
def test_line_feeds_at_start_and_end_follow_the_source(tmp_path, source, translation, result):
    path = put(tmp_path, f'msgid "{source}"\nmsgstr ""\n')
    assert filled(path, translation).decode() == f'msgid "{source}"\nmsgstr {result}\n'


def test_templates_compressed_files_and_filling_a_file_itself(tmp_path):
    content = b'msgid "a"\nmsgstr ""\n'
    template = put(tmp_path, gzip.compress(content), "x.pot.gz")
    done = content.replace(b'""', b'"b"')
    assert filled(template, "b") == done
    assert gzip.decompress(filled(template, "b", out=template)) == done


@given(translations=st.lists(st.none() | TEXT | TRICKY, max_size=9))
def test_round_trip(translations, tmp_path_factory):
    folder = tmp_path_factory.mktemp("po")
    body = "".join(f'#. é\nmsgid "{n}"\nmsgstr ""\n\n' for n in range(len(translations)))
    path = put(folder, body)
    result = filled(path, *translations).decode()
    kept = [(text or "").strip("\n") for text in translations]
    assert texts(folder / "out.po") == [(str(n), text) for n, text in enumerate(kept) if text]
    assert re.sub(r'(?m)^msgstr ".*"(\n".*")*$', 'msgstr ""', result) == body
    assert len(blanks_po(folder / "out.po")) == kept.count("")


def test_gettext_compiles_a_filled_template(tmp_path):
    program = shutil.which("msgfmt") or pytest.skip("msgfmt of GNU gettext is not installed")
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"'
    template = f'{head}\n"Plural-Forms: nplurals=3; plural=n%3;\\n"\n\n'
    template += 'msgid "one\\n"\nmsgid_plural "many\\n"\nmsgstr[0] ""\nmsgstr[1] ""\n'
    path = put(tmp_path, template, "x.pot")
    filled(path, "один", "два\n", "три", out=tmp_path / "ru.po")
    command = [program, "--check-domain", "--check-header", "-o", tmp_path / "ru.mo"]
    run = subprocess.run([*command, tmp_path / "ru.po"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert texts(tmp_path / "ru.po")[2] == ("many\n", "три\n")

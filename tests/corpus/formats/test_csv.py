import pytest

from seqloom.corpus import read_corpus
from seqloom.errors import CorpusError


def read(tmp_path, content, **options):
    path = tmp_path / "pairs.csv"
    path.write_bytes(content.encode())
    corpus = read_corpus(path, **options)
    return [(pair.source, pair.target) for pair in corpus.pairs()]


@pytest.mark.parametrize(
    "content",
    [
        'one,"eins, zwei"\n"a ""b""","c\nd"\n',
        'one;"eins, zwei"\n"a ""b""";"c\nd"\n',
        'one\t"eins, zwei"\n"a ""b"""\t"c\nd"\n',
        '\ufeffone,"eins, zwei"\r\n\r\n"a ""b""","c\nd"',
    ],
    ids=["commas", "semicolons", "tabs", "byte-order mark, CRLF, blank line, no last line end"],
)
def test_dialects(tmp_path, content):
    expected = [("one", "eins, zwei"), ('a "b"', "c\nd")]
    assert read(tmp_path, content) == expected


def test_headers(tmp_path):
    table = "id,de,en-US\n1,eins,one\n"
    assert read(tmp_path, table, columns=("en-US", "de")) == [("one", "eins")]
    assert read(tmp_path, table, source_language="en", target_language="de") == [("one", "eins")]
    assert read(tmp_path, table, columns=(2, 1)) == [("en-US", "de"), ("one", "eins")]
    assert read(tmp_path, table) == [("id", "de"), ("1", "eins")]
    assert read(tmp_path, "Target,Source\neins,one\n") == [("one", "eins")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\na,b,c\n", "pairs.csv, line 2: 3 columns, but line 1 has 2"),
        ('a,b\n"x\ny",z\na\n', "pairs.csv, line 4: 1 column, but line 1 has 2"),
        ("a\nb\n", "pairs.csv, line 1: 1 column; a CSV file needs at least two"),
        ('a,b\nc,"d\ne,f\n', "pairs.csv, line 2: the row that begins there cannot be read"),
        ('a,b\nc,"d"e\n', "pairs.csv, line 2: .*quotation mark"),
        ("a,b\nc\rd,e\n", "pairs.csv, line 2: the row that begins there cannot be read"),
    ],
)
def test_broken_rows(tmp_path, content, message):
    with pytest.raises(CorpusError, match=message):
        read(tmp_path, content)


def test_columns_that_are_not_there(tmp_path):
    with pytest.raises(CorpusError, match="no columns 'en' and 'fr'; it has en, de"):
        read(tmp_path, "en,de\na,b\n", columns=("en", "fr"))

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus import SCHEMA, Corpus, Pair, read_corpus
from seqloom.corpus.formats import FORMATS
from seqloom.corpus.formats.markup import INVALID
from seqloom.corpus.writers import write_corpus
from seqloom.errors import CorpusError, FolderError

PLAIN = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n\r\t\0"))
ANY = st.text(st.characters(exclude_categories=("Cs",)))
NO_NUL = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
XML = st.text(st.characters(exclude_categories=("Cs",))).filter(
    lambda text: not INVALID.search(text)
)
SOME_XML = XML.filter(lambda text: text.strip(" \t\r\n"))
SOME_PO = NO_NUL.filter(bool)
TEXTS = {
    ".tsv": (PLAIN, PLAIN), ".csv": (NO_NUL, NO_NUL), ".jsonl": (ANY, ANY),
    ".parquet": (ANY, ANY), ".tmx": (XML, XML), ".xlf": (XML, SOME_XML),
    ".xliff": (XML, SOME_XML), ".po": (SOME_PO, SOME_PO), ".pot": (SOME_PO, SOME_PO),
}  # fmt: skip
"""What the source and the target may hold in each format."""
WRITTEN = sorted(suffix for suffix, form in FORMATS.items() if form.write)
COMPRESSED = ["", ".gz", ".xz", ".zst"]


def texts(corpus):
    return [(pair.source, pair.target) for pair in corpus.pairs()]


@pytest.mark.parametrize("suffix", WRITTEN)
@given(data=st.data())
def test_what_is_written_is_read(suffix, data, tmp_path_factory):
    pairs = data.draw(st.lists(st.tuples(*TEXTS[suffix]), min_size=1))
    ending = "" if suffix == ".parquet" else data.draw(st.sampled_from(COMPRESSED))
    path = tmp_path_factory.mktemp("x") / f"pairs{suffix}{ending}"
    given = Corpus.of(pairs, source_language="en", target_language="de")
    assert write_corpus(given, path) == len(pairs)
    corpus = read_corpus(path)
    assert texts(corpus) == texts(corpus) == pairs, "and can be read again"
    assert all(batch.schema == SCHEMA for batch in corpus.batches())


@given(
    pairs=st.lists(st.tuples(PLAIN, PLAIN), min_size=1),
    endings=st.tuples(st.sampled_from(COMPRESSED), st.sampled_from(COMPRESSED)),
)
def test_two_files_that_are_written_are_read(pairs, endings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("x")
    files = folder / f"a.en{endings[0]}", folder / f"a.de{endings[1]}"
    assert write_corpus(Corpus.of(pairs), *files) == len(pairs)
    assert texts(read_corpus(*files)) == pairs


@pytest.mark.parametrize("first", [("source", "target"), ("Source ", " TARGET")])
@pytest.mark.parametrize("suffix", [".tsv", ".csv"])
def test_a_first_pair_like_a_header_stays_a_pair(first, suffix, tmp_path):
    pairs = [first, ("a", "b"), first]
    write_corpus(Corpus.of(pairs), tmp_path / f"x{suffix}")
    assert texts(read_corpus(tmp_path / f"x{suffix}")) == pairs


@pytest.mark.parametrize("suffix", [".tsv", ".en"])
@pytest.mark.parametrize("character", ["\n", "\r", "\0"])
def test_lines_cannot_hold_everything(tmp_path, suffix, character):
    pairs = [("a", "b"), ("c", f"d{character}e")]
    names = ["x.tsv"] if suffix == ".tsv" else ["x.en", "x.de"]
    files = [tmp_path / name for name in names]
    with pytest.raises(CorpusError, match=r"^pair 2 has .*cannot hold.*Write .jsonl"):
        write_corpus(Corpus.of(pairs), *files)
    assert not list(tmp_path.iterdir()), "nothing half-written"
    write_corpus(Corpus.of(pairs), *files, one_line=True)
    assert texts(read_corpus(*files)) == [("a", "b"), ("c", "d e")]


@pytest.mark.parametrize("suffix", WRITTEN)
def test_many_pairs_come_in_bounded_batches(tmp_path, suffix):
    pairs = [(f"source {i}", f"Ziel {i}") for i in range(9000)]
    corpus = Corpus.of(pairs, source_language="en", target_language="de")
    write_corpus(corpus, tmp_path / f"pairs{suffix}")
    again = read_corpus(tmp_path / f"pairs{suffix}")
    sizes = [batch.num_rows for batch in again.batches()]
    assert max(sizes) <= 8192
    assert sum(sizes) == again.count() == 9000
    assert texts(again) == pairs


def test_metadata_stays_where_there_is_room(tmp_path):
    pairs = [Pair("a", "b", {"id": "7", "note": "n"}), Pair("c", "d")]
    for name in ("x.jsonl", "x.parquet"):
        write_corpus(Corpus.of(pairs), tmp_path / name)
        assert list(read_corpus(tmp_path / name).pairs()) == pairs


def test_nothing_to_write_and_nowhere(tmp_path):
    with pytest.raises(CorpusError, match="has no pairs, so there is nothing to write"):
        write_corpus(Corpus.of([]), tmp_path / "x.csv")
    assert not list(tmp_path.iterdir())
    corpus = Corpus.of([("a", "b")])
    with pytest.raises(CorpusError, match=r"x.docx: a file of that name cannot hold both sides"):
        write_corpus(corpus, tmp_path / "x.docx")
    with pytest.raises(CorpusError, match=r"a \.csv file holds both sides; name it alone"):
        write_corpus(corpus, tmp_path / "x.en", tmp_path / "x.csv")
    with pytest.raises(CorpusError, match="need a file each"):
        write_corpus(corpus, tmp_path / "x.en", tmp_path / "x.en")
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match=r"cannot write .*x\.csv: "):
        write_corpus(corpus, tmp_path / "file" / "x.csv")


def test_what_was_read_before_an_error_is_kept_if_asked(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("a\tb\n" * 3 + "broken\n" + "a\tb\n")
    told = []
    assert read_corpus(path, on_error=told.append).count() == 3
    assert "x.tsv, line 4: 1 column, but line 1 has 2" in str(told[0])
    with pytest.raises(CorpusError, match="line 4"):
        read_corpus(path).count()

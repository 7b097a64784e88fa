import gzip
import lzma

import pytest
import zstandard
from hypothesis import assume, given
from hypothesis import strategies as st

from seqloom.corpus.streams import COMPRESSIONS, chunks, writing_bytes
from seqloom.errors import CorpusError

PACK = {".gz": gzip.compress, ".xz": lzma.compress, ".zst": zstandard.compress}


@pytest.mark.parametrize("suffix", ["", *COMPRESSIONS])
@given(content=st.binary())
def test_round_trip(suffix, content, tmp_path_factory):
    path = tmp_path_factory.mktemp("x") / f"text{suffix}"
    assume(suffix or not content.startswith((b"\x1f\x8b", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd")))
    with writing_bytes(path) as file:
        file.write(content[:3])
        file.write(content[3:])
    assert b"".join(chunks(path)) == content
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_other_programs_files_and_joined_ones(tmp_path, suffix):
    path = tmp_path / f"text{suffix}"
    path.write_bytes(PACK[suffix](b"one ") + PACK[suffix](b"two"))
    assert b"".join(chunks(path)) == b"one two"


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_damage(tmp_path, suffix):
    path = tmp_path / f"text{suffix}"
    packed = PACK[suffix](bytes(range(256)) * 1000)
    path.write_bytes(packed[:-12])
    with pytest.raises(CorpusError, match=rf"text\{suffix}: .*(truncated|damaged)"):
        list(chunks(path))
    path.write_bytes(b"plain text")
    with pytest.raises(CorpusError, match=rf"is not a .* file.*Take \{suffix} off its name"):
        list(chunks(path))
    (tmp_path / "text").write_bytes(packed)
    with pytest.raises(CorpusError, match=rf"give it a name that ends in \{suffix}"):
        list(chunks(tmp_path / "text"))


def test_nothing_is_left_of_a_failed_write(tmp_path):
    with pytest.raises(ZeroDivisionError), writing_bytes(tmp_path / "text.gz") as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())

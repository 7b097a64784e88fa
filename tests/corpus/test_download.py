from __future__ import annotations

import gzip
import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from seqloom.corpus import download
from seqloom.corpus.download import DATA_SETS, Remote, get
from seqloom.errors import CorpusError, FolderError

TEXT = b"eins\nzwei\n" * 5000
PACKED = gzip.compress(TEXT)
RIGHT = hashlib.sha256(TEXT).hexdigest()


class Server:
    """A local web server whose answers a test sets, and a list of what it was asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, bytes, int]]] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                queue = outer.answers.get(self.path, [(404, b"", 0)])
                status, body, announced = queue.pop(0) if len(queue) > 1 else queue[0]
                self.send_response(status)
                self.send_header("Content-Length", str(announced))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def serve(self, path: str, *bodies: bytes | int) -> None:
        """Answer ``path`` with these bodies (or error codes) in turn, the last one for ever."""
        self.answers[path] = [
            (body, b"", 0) if isinstance(body, int) else (200, body, len(body)) for body in bodies
        ]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0.0)
    server = Server()
    data = Remote("a test", server.url, {"train.de.gz": RIGHT, "val.de": RIGHT})
    monkeypatch.setitem(DATA_SETS, "tiny", data)
    server.serve("/train.de.gz", PACKED)
    server.serve("/val.de", TEXT)
    yield server
    server.close()


def test_fetches_unpacks_and_checks(server, tmp_path):
    seen: list[tuple[str, int, int | None]] = []
    paths = get("tiny", tmp_path / "data" / "tiny", progress=lambda *step: seen.append(step))
    assert [path.name for path in paths] == ["train.de", "val.de"]
    assert [path.read_bytes() for path in paths] == [TEXT, TEXT]
    assert sorted(p.name for p in paths[0].parent.iterdir()) == ["train.de", "val.de"]
    assert seen[0][0] == "train.de"
    assert ("train.de", len(PACKED), len(PACKED)) in seen
    assert seen[-1] == ("val.de", len(TEXT), len(TEXT))


def test_packed_otherwise_is_the_same_content(server, tmp_path):
    server.serve("/train.de.gz", gzip.compress(TEXT[:999], 1) + gzip.compress(TEXT[999:], 9))
    assert get("tiny", tmp_path)[0].read_bytes() == TEXT


def test_right_files_are_not_fetched_again(server, tmp_path):
    get("tiny", tmp_path)
    server.asked.clear()
    assert [path.read_bytes() for path in get("tiny", tmp_path)] == [TEXT, TEXT]
    assert server.asked == []
    (tmp_path / "val.de").unlink()
    get("tiny", tmp_path)
    assert server.asked == ["/val.de"]


def test_does_not_overwrite_what_it_did_not_write(server, tmp_path):
    (tmp_path / "train.de").write_text("mine")
    with pytest.raises(FolderError, match=r"train\.de exists with other content.*move it away"):
        get("tiny", tmp_path)
    assert (tmp_path / "train.de").read_text() == "mine"
    assert server.asked == []


def test_wrong_checksum(server, tmp_path):
    server.serve("/train.de.gz", gzip.compress(b"something else"))
    got = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(CorpusError, match=f"wrong checksum. Expected SHA-256 {RIGHT}, got {got}"):
        get("tiny", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert server.asked == ["/train.de.gz"]  # the same wrong file would come again


def test_not_found(server, tmp_path):
    server.serve("/train.de.gz", 404)
    with pytest.raises(CorpusError, match=r"/train\.de\.gz: the server answers 404 \(Not Found\)"):
        get("tiny", tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert server.asked == ["/train.de.gz"]


def test_an_error_page_instead_of_a_gzip_file(server, tmp_path):
    server.serve("/train.de.gz", b"<html>Please log in to the hotel network</html>")
    with pytest.raises(CorpusError, match="what came is not a whole gzip file"):
        get("tiny", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_fails_once_is_asked_again(server, tmp_path):
    server.serve("/train.de.gz", 503, 429, PACKED)
    assert get("tiny", tmp_path)[0].read_bytes() == TEXT
    assert server.asked.count("/train.de.gz") == 3


def test_a_server_that_keeps_failing(server, tmp_path):
    server.serve("/train.de.gz", 503)
    with pytest.raises(CorpusError, match="after 3 attempts: the server answers 503") as caught:
        get("tiny", tmp_path)
    assert "run the same command again" in str(caught.value)
    assert len(server.asked) == 3


def test_cut_off_transfer(server, tmp_path):
    half = len(PACKED) // 2
    server.answers["/train.de.gz"] = [(200, PACKED[:half], len(PACKED))]
    with pytest.raises(CorpusError, match=f"cut off after {half} of {len(PACKED)} bytes"):
        get("tiny", tmp_path)
    assert list(tmp_path.iterdir()) == []
    server.answers["/train.de.gz"] = [
        (200, PACKED[:half], len(PACKED)),
        (200, PACKED, len(PACKED)),
    ]
    assert get("tiny", tmp_path)[0].read_bytes() == TEXT


def test_no_connection(server, tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(
            CorpusError, match=r"cannot fetch .* after 3 attempts: .*refused"
        ) as info:
            get("tiny", tmp_path / "new", base_url=url)
    assert "Check the network" in str(info.value)
    assert not (tmp_path / "new").exists()


def test_a_later_file_fails_and_the_whole_ones_stay(server, tmp_path):
    server.serve("/val.de", 404)
    with pytest.raises(CorpusError, match="404"):
        get("tiny", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["train.de"]


def test_mirror(server, tmp_path):
    server.serve("/mirror/train.de.gz", PACKED)
    server.serve("/mirror/val.de", TEXT)
    get("tiny", tmp_path, base_url=f"{server.url}/mirror/")
    assert server.asked == ["/mirror/train.de.gz", "/mirror/val.de"]


def test_a_mirror_must_be_a_web_address(tmp_path):
    with pytest.raises(CorpusError, match="file:///etc is not a web address"):
        get("multi30k", tmp_path, base_url="file:///etc")


def test_unknown_name(tmp_path):
    with pytest.raises(CorpusError, match=r"no data set is called 'multi'; known: .*multi30k"):
        get("multi", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(FolderError, match="cannot write"):
        get("reverse", tmp_path / "data")


def test_generated_sets(tmp_path):
    paths = get("reverse", tmp_path)
    assert [path.name for path in paths] == ["train.tsv", "validation.tsv"]
    train, validation = (
        [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
        for path in paths
    )
    assert (len(train), len(validation)) == (10_000, 1000)
    assert all(target == source[::-1] for source, target in train)
    assert not {source for source, _ in train} & {source for source, _ in validation}
    before = paths[0].stat().st_mtime_ns
    get("reverse", tmp_path)
    assert paths[0].stat().st_mtime_ns == before


def test_generated_sets_have_no_address(tmp_path):
    with pytest.raises(CorpusError, match="reverse is generated here, not fetched"):
        get("reverse", tmp_path, base_url="https://example.org")


def test_checksums_of_multi30k_are_those_of_the_files(real_data):
    data = DATA_SETS["multi30k"]
    assert isinstance(data, Remote)
    for name, expected in data.files.items():
        content = (real_data / "multi30k" / name.removesuffix(".gz")).read_bytes()
        assert hashlib.sha256(content).hexdigest() == expected

"""Data sets by name: fetched from their own repositories with checksums, or generated.

A file counts only when the SHA-256 of its unpacked content is the expected one, so a changed
upstream, a proxy's error page and a cut-off transfer are told apart from the real thing. Files
appear under their final name only when they are whole and right. Calling again goes on where it
was: files that are already there and right are not fetched twice.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import tempfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from seqloom.corpus.dates import dates_corpus
from seqloom.corpus.files import replacing
from seqloom.corpus.pairs import Corpus
from seqloom.corpus.toy import reverse_corpus
from seqloom.errors import CorpusError, FolderError, writing

Progress = Callable[[str, int, int | None], None]
"""Called with a file's name, the bytes fetched so far, and their total if the server tells it."""

ATTEMPTS = 3
PAUSE_SECONDS = 1.0
"""Before the second attempt; doubled before each further one."""
TIMEOUT_SECONDS = 30.0
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Remote:
    """A data set on a server. ``files`` maps the name under the base URL to a SHA-256 in hex.

    A name that ends in ``.gz`` is unpacked; its checksum is that of the unpacked content, which
    does not change when somebody packs the same text again.
    """

    about: str
    base_url: str
    files: dict[str, str]

    def put(self, name: str, out: Path, base_url: str | None, progress: Progress) -> list[Path]:
        """Fetch the missing files into the existing folder ``out``; returns the paths of all."""
        base = (base_url or self.base_url).rstrip("/")
        if not base.startswith(("http://", "https://")):
            raise CorpusError(
                f"{base} is not a web address; it must begin with https:// or http://."
            )
        paths = []
        for remote, expected in self.files.items():
            path = out / remote.removesuffix(".gz")
            if not _already_there(path, expected):
                _fetch(f"{base}/{remote}", path, expected, progress)
            paths.append(path)
        return paths


@dataclass(frozen=True)
class Generated:
    """A data set that is computed: parts such as ``train``, each written as ``train.tsv``."""

    about: str
    parts: Callable[[], dict[str, Corpus]]

    def put(self, name: str, out: Path, base_url: str | None, progress: Progress) -> list[Path]:
        """Write the parts into the existing folder ``out`` and return their paths."""
        if base_url is not None:
            raise CorpusError(f"{name} is generated here, not fetched; leave the base URL out.")
        paths = []
        for part, corpus in self.parts().items():
            lines = [f"{pair.source}\t{pair.target}\n" for pair in corpus.pairs()]
            content = "".join(lines).encode()
            path = out / f"{part}.tsv"
            if not _already_there(path, hashlib.sha256(content).hexdigest()):
                with replacing(path) as temporary:
                    temporary.write_bytes(content)
            progress(path.name, len(content), len(content))
            paths.append(path)
        return paths


DataSet = Remote | Generated


def _dates() -> dict[str, Corpus]:
    return dict(zip(("train", "validation", "test"), dates_corpus(60_000, seed=1), strict=True))


def _reverse() -> dict[str, Corpus]:
    pairs = list(reverse_corpus(11_000, seed=1).pairs())
    return {"train": Corpus.of(pairs[:10_000]), "validation": Corpus.of(pairs[10_000:])}


DATA_SETS: dict[str, DataSet] = {
    "multi30k": Remote(
        about="Multi30k task 1: 29,000 image captions in English, German, French and Czech",
        base_url=(
            "https://raw.githubusercontent.com/multi30k/dataset/"
            "a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw"
        ),
        files={
            "train.en.gz": "460a15fbd157e34a7a9957ee388c1ca247fe47af3ef25fb50442af6c274e0fc6",
            "train.de.gz": "2c2b73fd2b548fbcde3a875e0a78d6ee94d498bfdee6bd3eae3945779e9ddf72",
            "train.fr.gz": "5925a3c18f1587b6b54b87743106e6e8ab93618edb6f65d19eac0621f853a10d",
            "train.cs.gz": "2be68b38c8d586ff4f54eb13cc6e1baaaa053695b3f070d3038303a47f2268da",
            "val.en.gz": "1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227",
            "val.de.gz": "660e09eb7e1da2f856ea13ee5ad3cf6d36b3d5b0b733c857e94c5747a3dfc660",
            "val.fr.gz": "5304e444d842e962b2dda4d816b70b22a1765b15401642b7ca37a67477e708dc",
            "val.cs.gz": "d53827e469b0a1ca8d57e9e26b2b64c4bc4b33f5479c7b03ae87ae5c882c3e33",
        },
    ),
    "dates": Generated("60,000 dates in six languages and in ISO 8601, generated", _dates),
    "reverse": Generated("11,000 sequences of letters and their reversal, generated", _reverse),
}
"""Name -> what ``seqloom get`` can fetch."""


def get(
    name: str,
    out: str | Path,
    base_url: str | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Put the files of data set ``name`` into the folder ``out``; returns their paths.

    Args:
        name: a key of :data:`DATA_SETS`.
        out: folder, made if it is not there. Right files in it are kept.
        base_url: fetch from this mirror instead of the data set's own repository.
        progress: called while the bytes come in.

    Raises:
        CorpusError: the name is unknown; no network, no such file, or a cut-off transfer, after
            a few attempts; or the content is not the expected one.
        FolderError: ``out`` cannot be written, or holds a file of that name with other content.
    """
    if name not in DATA_SETS:
        raise CorpusError(f"no data set is called {name!r}; known: {', '.join(sorted(DATA_SETS))}.")
    folder = Path(out)
    existed = folder.exists()
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        return DATA_SETS[name].put(name, folder, base_url, progress or _silent)
    finally:
        if not existed and not any(folder.iterdir()):
            folder.rmdir()


def _silent(name: str, done: int, total: int | None) -> None:
    """Progress for callers that want none."""


def _already_there(path: Path, expected: str) -> bool:
    """Whether ``path`` holds the expected content.

    Raises:
        FolderError: it holds something else, which is not ours to overwrite.
    """
    if not path.exists():
        return False
    digest = hashlib.sha256()
    with writing(path), path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != expected:
        raise FolderError(
            f"{path} exists with other content (SHA-256 {digest.hexdigest()}, expected "
            f"{expected}); move it away or choose another folder with --out."
        )
    return True


def _fetch(url: str, path: Path, expected: str, progress: Progress) -> None:
    """Bring ``url`` to ``path``, unpacked and checked, with a few polite attempts."""
    for attempt in range(1, ATTEMPTS + 1):
        with writing(path), tempfile.TemporaryFile(dir=path.parent) as packed:
            try:
                _receive(url, packed, path, progress)
            except urllib.error.HTTPError as error:
                error.close()
                if error.code < 500 and error.code != 429:  # asking again would not help
                    raise CorpusError(
                        f"{url}: the server answers {error.code} ({error.reason}); the file has "
                        "moved or the address is wrong. Nothing was written."
                    ) from None
                reason = f"the server answers {error.code} ({error.reason})"
            except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
                reason = str(getattr(error, "reason", None) or error or type(error).__name__)
            else:
                packed.seek(0)
                _unpack(url, packed, path, expected)
                return
        if attempt < ATTEMPTS:
            time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
    raise CorpusError(
        f"cannot fetch {url} after {ATTEMPTS} attempts: {reason}. Check the network (or the "
        "proxy in HTTPS_PROXY) and run the same command again; files that are whole are kept."
    )


def _receive(url: str, packed: IO[bytes], path: Path, progress: Progress) -> None:
    """Stream the answer into ``packed``.

    Raises:
        OSError: the connection ended before all announced bytes came, and all that urllib raises.
    """
    request = urllib.request.Request(url, headers={"User-Agent": "seqloom"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        length = answer.headers.get("Content-Length")
        total = int(length) if length is not None and length.isdigit() else None
        done = 0
        while chunk := answer.read(_CHUNK):
            with writing(path):
                packed.write(chunk)
            done += len(chunk)
            progress(path.name, done, total)
    if total is not None and done < total:
        raise OSError(f"the transfer was cut off after {done} of {total} bytes")


def _unpack(url: str, packed: IO[bytes], path: Path, expected: str) -> None:
    """Unpack (if the URL says so), check and move to ``path``."""
    content: gzip.GzipFile | IO[bytes] = packed
    if url.endswith(".gz"):
        content = gzip.GzipFile(fileobj=packed)
    digest = hashlib.sha256()
    with replacing(path) as temporary, temporary.open("wb") as file:
        try:
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise CorpusError(
                f"{url}: what came is not a whole gzip file ({error}). Run the command again."
            ) from None
        if digest.hexdigest() != expected:
            raise CorpusError(
                f"{url}: wrong checksum. Expected SHA-256 {expected}, got {digest.hexdigest()}. "
                "The file was changed on the way or at its source; nothing was kept."
            )

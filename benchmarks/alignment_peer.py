"""The statistical aligner of the alignment benchmark: eflomal (Östling and Tiedemann 2016).

It is under the GPL, so it has an environment of its own and is run as a program; nothing of it is
part of Seqloom. It draws samples from no fixed seed: two runs differ a little.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from alignment_text import Texts
from peers import FOLDER, Environment, PeerMissing

from seqloom.corpus.alignments import AlignedPairs, parse_links
from seqloom.evaluation.alignment import Symmetry, symmetrize
from seqloom.inspection.alignment import Links

NAME = "eflomal"
ENVIRONMENT = Environment(NAME, ["eflomal==2.0.0"], "import eflomal")
SYMMETRY: Symmetry = "grow-diag-final-and"


def eflomal(
    texts: Texts, pairs: AlignedPairs, threads: int
) -> tuple[dict[str, list[Links]], float]:
    """Links of the pairs by way, and minutes; it learns from the training pairs and from these.

    Raises:
        PeerMissing: it cannot be installed, or fails.
    """
    ENVIRONMENT.make(None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [folder / side for side in ("source", "target")]
        for side, (file, own) in enumerate(zip(files, (pairs.sources, pairs.targets), strict=True)):
            seen = texts.file("train", side).read_text(encoding="utf-8")
            file.write_text(seen + "".join(f"{' '.join(words)}\n" for words in own), "utf-8")
        began = time.perf_counter()
        links = _run(files, [folder / "forward", folder / "backward"], threads, len(pairs))
        minutes = (time.perf_counter() - began) / 60
    forward, backward = links
    both = [symmetrize(a, b, SYMMETRY) for a, b in zip(forward, backward, strict=True)]
    return {"forward": forward, "backward": backward, SYMMETRY: both}, minutes


def _run(
    texts: Sequence[Path], links: Sequence[Path], threads: int, count: int
) -> tuple[list[Links], ...]:
    """The links of the last ``count`` pairs, the source word first in both directions."""
    program = ENVIRONMENT.python.parent / "eflomal-align"
    options = zip(("-s", "-t", "-f", "-r"), (*texts, *links), strict=True)
    command = [str(program), *(str(word) for option in options for word in option)]
    log = FOLDER / f"{NAME}.log"
    with log.open("w", encoding="utf-8") as stream:
        done = subprocess.run(
            command, stdout=stream, stderr=stream, check=False,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        )  # fmt: skip
    if done.returncode:
        raise PeerMissing(f"{NAME} failed with exit code {done.returncode}. Log: {log}")
    found = []
    for file in links:
        lines = file.read_text(encoding="utf-8").splitlines()[-count:]
        found.append([parse_links(line, 0, NAME).sure for line in lines])
    return tuple(found)

"""What every benchmark against a peer shares: its environment, its process, how work is counted.

Each side of a comparison runs in a process of its own, in its own environment, and does what the
benchmark's process asks for, so that the sides take turns on one machine. Requests and answers are
lines of JSON. This file needs nothing but the standard library: the peers import it too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "peers"
"""Environments, prepared data and logs; not part of the repository."""
CONSTRAINTS = HERE.parent / "constraints.txt"
TORCH_CPU = "https://download.pytorch.org/whl/cpu"


Answer = Callable[[dict[str, Any]], dict[str, Any]]
"""From a request to its answer."""


class PeerMissing(Exception):  # noqa: N818
    """A peer cannot be installed here."""


class Environment:
    """A virtual environment for one peer under ``benchmarks/peers``.

    Args:
        name: folder.
        requirements: what pip installs.
        probe: a line of Python that fails if the peer cannot be used.
    """

    def __init__(self, name: str, requirements: Sequence[str], probe: str) -> None:
        self.folder = FOLDER / name
        self.requirements = list(requirements)
        self.probe = probe
        self.python = self.folder / ("Scripts" if os.name == "nt" else "bin") / "python"
        self.log = FOLDER / f"{name}.install.log"

    def make(self, torch_version: str | None) -> None:
        """Install what is missing.

        Args:
            torch_version: the one that Seqloom runs on, for the peer too; None if it needs none.

        Raises:
            PeerMissing: that is impossible.
        """
        if self._works():
            return
        FOLDER.mkdir(exist_ok=True)
        print(f"Installing {self.requirements[0]} into {self.folder} (some minutes) ...")
        self.log.write_text("", encoding="utf-8")
        self._run(sys.executable, "-m", "venv", "--clear", str(self.folder))
        if torch_version is not None:
            self._install_torch(f"torch=={torch_version}")
        if not self._pip(*self.requirements):
            self._give_up("pip fails")
        if not self._works():
            self._give_up(f"installed, but `{self.probe}` fails")

    def _install_torch(self, torch: str) -> None:
        # The processor build of torch is on PyTorch's own index only.
        if not self._pip(torch) and not self._pip(torch, "--extra-index-url", TORCH_CPU):
            self._give_up(f"{torch} cannot be installed there")

    def _works(self) -> bool:
        return self.python.exists() and self._run(str(self.python), "-P", "-c", self.probe)

    def _pip(self, *arguments: str) -> bool:
        pip = (str(self.python), "-m", "pip", "--disable-pip-version-check", "install")
        return self._run(*pip, "-c", str(CONSTRAINTS), *arguments)

    def _run(self, *command: str) -> bool:
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            return subprocess.run(command, stdout=log, stderr=log, check=False).returncode == 0

    def _give_up(self, reason: str) -> None:
        raise PeerMissing(
            f"{self.requirements[0]} is not to be had: {reason}.\n"
            f"{_end(self.log)}\nAll of it: {self.log}"
        )


class Side:
    """One side of a comparison, seen from the benchmark: a process that answers requests.

    Args:
        name: for messages and the log.
        command: the process.
        threads: processor threads that it may compute on.
        request: the first one; the answer becomes ``facts``.
    """

    def __init__(
        self, name: str, command: Sequence[str], threads: int, request: Mapping[str, Any]
    ) -> None:
        self.name = name
        self.log = FOLDER / f"{name.replace(' ', '-')}.log"
        count = str(threads)
        variables = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "SEQLOOM_THREADS")
        environment = {**os.environ, **dict.fromkeys(variables, count), "CUDA_VISIBLE_DEVICES": ""}
        with self.log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                text=True, encoding="utf-8", env=environment,
            )  # fmt: skip
        self.facts = self.ask(**request)

    def ask(self, **request: Any) -> dict[str, Any]:
        """The answer to a request; leaves the program if the process died."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            sys.exit(f"{self.name} stopped without an answer.\n{_end(self.log)}\nLog: {self.log}")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


class Link:
    """The benchmark, seen from a side. What libraries print goes to the log instead."""

    def __init__(self) -> None:
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def receive(self) -> dict[str, Any]:
        """The next request; the process ends with the benchmark."""
        line = sys.stdin.readline()
        if not line:
            sys.exit(0)
        return json.loads(line)

    def send(self, **answer: Any) -> None:
        """Answer the request."""
        self._answers.write(json.dumps(answer) + "\n")
        self._answers.flush()


class Course:
    """Counts and times updates, round by round, inside a side's own training loop.

    A round lasts from the start of its first update to the start of the update after its last, so
    that it holds as many batches made, optimizer steps and lines logged as updates. Between rounds
    ``answer`` answers other requests, such as one to translate.
    """

    def __init__(self, link: Link, answer: Answer | None = None) -> None:
        self._link = link
        self._answer = answer
        self._left = 0
        self._counts: dict[str, int] = {}
        self._started = 0.0

    def begin(self, **counts: int) -> bool:
        """To be called when an update begins, with what its batch holds.

        At the end of a round it waits for the next one; False: training is over.
        """
        if not self._left:
            if self._counts:
                seconds = time.perf_counter() - self._started
                self._link.send(seconds=seconds, peak_memory_mb=peak_memory_mb(), **self._counts)
            request = self._link.receive()
            while "updates" not in request:
                assert self._answer is not None
                self._link.send(**self._answer(request))
                request = self._link.receive()
            self._left = request["updates"]
            if not self._left:
                return False
            self._counts = {"updates": 0, **dict.fromkeys(counts, 0)}
            self._started = time.perf_counter()
        self._left -= 1
        self._counts["updates"] += 1
        for name, value in counts.items():
            self._counts[name] += value
        return True


def peak_memory_mb() -> int:
    """Largest resident memory of this process so far."""
    status = Path("/proc/self/status")
    if status.exists():
        text = status.read_text(encoding="ascii", errors="replace")
        return round(int(text.split("VmHWM:")[1].split()[0]) / 2**10)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10))


def parse_with_corpus(parser: argparse.ArgumentParser, *needed: str) -> argparse.Namespace:
    """The arguments and ``--data``, a folder of corpora, absolute; exit code 2 if one is missing.

    Args:
        parser: what else the program takes.
        needed: files or folders that must be there; Multi30k if none is named.
    """
    parser.add_argument("--data", type=Path, default=os.environ.get("SEQLOOM_DATA", "data"))
    chosen = parser.parse_args()
    for name in needed or ("multi30k/train.en",):
        if not (chosen.data / name).exists():
            hint = "fetch it (seqloom get multi30k), or " if name.startswith("multi30k") else ""
            parser.error(
                f"no {name} in {chosen.data}: {hint}name the folder above it with --data or "
                "SEQLOOM_DATA."
            )
    chosen.data = chosen.data.resolve()
    return chosen


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows of equal keys as aligned columns."""
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def write_results(name: str, values: Mapping[str, Any]) -> Path:
    """Write ``benchmarks/results/NAME.json``."""
    path = HERE / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _end(log: Path, lines: int = 12) -> str:
    """The last lines of a log."""
    text = log.read_text(encoding="utf-8", errors="replace")
    return "\n".join(text.splitlines()[-lines:])

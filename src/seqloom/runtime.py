"""The machine underneath: devices, threads, number types, versions.

The only file that reads the environment: ``SEQLOOM_DEVICE`` (such as ``cuda:1``) and
``SEQLOOM_THREADS`` stand for the flags that a cluster's job script cannot pass; ``RANK``,
``WORLD_SIZE`` and ``LOCAL_RANK`` are how torchrun tells a process its place. torch is imported
inside the functions, so that importing this module costs nothing.
"""

from __future__ import annotations

import math
import os
import platform
import sys
import time
from functools import lru_cache
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqloom.errors import DeviceError

if TYPE_CHECKING:
    import torch

CORE = (
    "torch", "numpy", "pyarrow", "duckdb", "loky", "py3langid", "tokenizers", "safetensors",
    "sacrebleu", "sacremoses", "scikit-learn", "scipy", "stopwordsiso", "pydantic", "PyYAML",
    "typer", "rich", "matplotlib", "tensorboard",
)  # fmt: skip
"""Distributions that every installation has."""

EXTRAS: dict[str, tuple[str, ...]] = {
    "demo": ("babel", "notojp_matplotlib"),
    "hub": ("huggingface_hub", "datasets", "transformers", "peft", "sentencepiece", "protobuf"),
    "vectors": ("numba", "icu4py"),
    "fast": ("ctranslate2",),
    "onnx": ("onnx", "onnxruntime"),
    "serve": ("starlette", "uvicorn"),
    "search": ("lancedb",),
    "ray": ("ray",),
}
"""Modules that each optional extra of ``pyproject.toml`` brings."""


def choose_device(name: str | None = None) -> torch.device:
    """The device called ``name``, or the best one: ``SEQLOOM_DEVICE``, a GPU, the processor.

    Raises:
        DeviceError: no device of that name is known, or this machine has none.
    """
    import torch

    wanted = name or os.environ.get("SEQLOOM_DEVICE") or "auto"
    if wanted == "auto":
        if torch.cuda.is_available():
            local = os.environ.get("LOCAL_RANK")
            return torch.device("cuda" if local is None else f"cuda:{local}")
        return torch.device("cpu")
    unknown = f"unknown device {wanted!r}; expected auto, cpu, cuda, cuda:1, ... or mps."
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise DeviceError(unknown) from None
    if device.type not in ("cpu", "cuda", "mps"):
        raise DeviceError(unknown)
    here = devices()
    names = {each.split(" ")[0] for each in here}
    if device.index is None:
        names |= {name.split(":")[0] for name in names}
    if str(device) not in names:
        raise DeviceError(
            f"device {wanted!r} is not available; this machine has: {', '.join(here)}. "
            "Leave --device out to use the best one."
        )
    return device


def devices() -> list[str]:
    """Every device torch can compute on here, with its name: ``cpu (...)``, ``cuda:0 (...)``."""
    import torch

    found = [f"cpu ({_processor()})"]
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        memory = torch.cuda.get_device_properties(index).total_memory / 2**30
        name = torch.cuda.get_device_name(index)
        found.append(f"cuda:{index} ({name}, {memory:.0f} GiB)")
    if torch.backends.mps.is_available():
        found.append("mps (Apple GPU)")
    return found


def processors() -> int:
    """Processors that this process may use: its affinity and its container's quota counted in."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    quota = _quota(Path("/sys/fs/cgroup/cpu.max"))
    return max(1, min(count, quota)) if quota else count


def place_in_group() -> tuple[int, int]:
    """The number of this process among those that torchrun started, from 0, and how many."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def set_threads(count: int | None = None) -> int:
    """Let torch compute on ``count`` threads; by default ``SEQLOOM_THREADS`` or all processors.

    torch by itself counts the processors of the machine, not those of the container it runs in,
    and then waits for threads that never get a turn.

    Raises:
        DeviceError: ``SEQLOOM_THREADS`` is not a positive number.
    """
    import torch

    if count is None:
        given = os.environ.get("SEQLOOM_THREADS", "")
        if given and not (given.isdecimal() and int(given)):
            raise DeviceError(f"SEQLOOM_THREADS={given}: expected a number of threads, such as 4.")
        count = int(given) if given else min(processors(), torch.get_num_threads())
    torch.set_num_threads(count)
    return count


SPINS = 30_000
"""For :func:`wait_briefly`: about a millisecond, longer than most waits of a training step."""


def wait_briefly() -> None:
    """Let threads that wait for others hand their core over soon; call before torch is loaded.

    torch computes with GNU OpenMP, whose threads spin while they wait, by default ten times as
    long. Beside another busy program, two threads then fall to the speed of much less than one,
    since each burns the turns that the other waits for. What the user set stands.
    """
    if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
        os.environ["GOMP_SPINCOUNT"] = str(SPINS)


SEARCH_KERNELS = 256
"""For :func:`keep_memory` where a model only decodes: few sizes of batch, some layers."""


def keep_memory(kernels: int = 64) -> None:
    """Keep memory steady over a long run; call before the first product.

    First touch of fresh memory is slow: a training step that hands its tensors back to the system
    and asks for them again spends a sixth of its time in page faults. So glibc keeps what is
    freed. And oneDNN, which multiplies bfloat16 matrices, keeps a compiled kernel for each shape
    it has met, by default 1,024, which are gigabytes: the batches of a training run come in
    thousands of shapes that hardly ever return, a search in some hundred that do. ``kernels`` is
    how many it keeps.
    """
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(name, str(kernels))
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return
    import ctypes

    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
    library = ctypes.CDLL(None)
    # 32 MiB is the most that glibc takes. Keeping larger blocks too (M_MMAP_MAX = 0) is no
    # faster, and the heap grows, torn by blocks of many sizes.
    library.mallopt(mmap_threshold, 2**25)
    library.mallopt(trim_threshold, 2**31 - 1)


def product_speed(device: torch.device, dtype: torch.dtype, size: int = 512) -> float:
    """Matrix product of two ``size`` x ``size`` matrices on ``device``: GFLOP a second.

    Best of several rounds, about a tenth of a second in all.
    """
    import torch

    left = torch.randn(size, size, device=device).to(dtype)
    right = torch.randn(size, size, device=device).to(dtype)

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    best = math.inf
    with torch.inference_mode():
        left @ right  # the first product sets the library up
        for _ in range(5):
            wait()
            start = time.perf_counter()
            for _ in range(4):
                left @ right
            wait()
            best = min(best, (time.perf_counter() - start) / 4)
    return 2 * size**3 / best / 1e9


def number_types(device: torch.device) -> dict[str, float]:
    """GFLOP a second of each number type in matrix products on ``device``."""
    import torch

    types = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    return {name: product_speed(device, dtype) for name, dtype in types.items()}


@lru_cache
def faster_precision(device: torch.device) -> str:
    """The number type whose matrix products are clearly faster on ``device``, by measuring."""
    speed = number_types(device)
    return "bfloat16" if speed["bfloat16"] > 1.5 * speed["float32"] else "float32"


def versions() -> dict[str, str]:
    """Versions of Python, the platform and every core dependency."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in CORE:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def extras() -> dict[str, bool]:
    """For each optional extra, whether all of its modules are installed."""
    return {
        name: all(util.find_spec(module) is not None for module in modules)
        for name, modules in EXTRAS.items()
    }


def is_terminal(stream: Any) -> bool:
    """Whether a person is watching ``stream``."""
    return bool(getattr(stream, "isatty", lambda: False)()) and os.environ.get("TERM") != "dumb"


def _processor() -> str:
    if sys.platform == "linux":
        try:
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
        except OSError:
            pass
    return platform.processor() or platform.machine()


def _quota(path: Path) -> int | None:
    """Whole processors a control group grants (version 2), or None without a limit."""
    try:
        allowed, period = path.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None
    return None if allowed == "max" else max(1, round(int(allowed) / int(period)))

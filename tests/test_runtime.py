from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch

from seqloom import runtime
from seqloom.errors import DeviceError


def test_the_environment_names_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQLOOM_DEVICE", "cpu")
    assert runtime.choose_device() == torch.device("cpu")
    monkeypatch.setenv("SEQLOOM_DEVICE", "gpu")
    with pytest.raises(DeviceError, match=r"unknown device 'gpu'; expected auto, cpu, cuda"):
        runtime.choose_device()
    assert runtime.choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["meta", "cpu:x", ""])
def test_unknown_devices(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQLOOM_DEVICE", "meta")
    with pytest.raises(DeviceError, match=r"unknown device"):
        runtime.choose_device(name)


def test_a_device_that_is_not_here() -> None:
    with pytest.raises(DeviceError, match=r"'cuda:77' is not available; this machine has: cpu \("):
        runtime.choose_device("cuda:77")


def test_a_quota_of_the_container_counts(tmp_path: Path) -> None:
    file = tmp_path / "cpu.max"
    found = []
    for content in ("150000 100000", "50000 100000", "max 100000", "nonsense"):
        file.write_text(content)
        found.append(runtime._quota(file))
    assert found == [2, 1, None, None]
    assert runtime._quota(tmp_path / "missing") is None
    assert 1 <= runtime.processors() <= (os.cpu_count() or 1)


def test_threads_that_wait_give_way_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    runtime.wait_briefly()
    assert os.environ["GOMP_SPINCOUNT"] == "7"
    monkeypatch.delenv("GOMP_SPINCOUNT")
    runtime.wait_briefly()
    assert os.environ["GOMP_SPINCOUNT"] == str(runtime.SPINS)
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    runtime.wait_briefly()
    assert "GOMP_SPINCOUNT" not in os.environ


def test_the_command_line_asks_threads_to_give_way() -> None:
    names = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}
    clean = {name: value for name, value in os.environ.items() if name not in names}
    program = (
        "import atexit, os\nfrom seqloom.cli import main\n"
        "atexit.register(lambda: print(os.environ['GOMP_SPINCOUNT']))\nmain(['--version'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=clean, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == str(runtime.SPINS)


def test_threads_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    try:
        assert runtime.set_threads(1) == torch.get_num_threads() == 1
        monkeypatch.setenv("SEQLOOM_THREADS", "2")
        assert runtime.set_threads() == torch.get_num_threads() == 2
        for wrong in ("many", "0", "-1"):
            monkeypatch.setenv("SEQLOOM_THREADS", wrong)
            with pytest.raises(DeviceError, match=rf"SEQLOOM_THREADS={wrong}: expected a number"):
                runtime.set_threads()
    finally:
        torch.set_num_threads(before)


def test_speeds_are_positive_and_finite() -> None:
    speeds = runtime.number_types(torch.device("cpu"))
    assert list(speeds) == ["float32", "bfloat16"]
    assert all(0 < speed < 1e7 for speed in speeds.values())


def test_the_faster_number_type_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for bfloat16, expected in ((1.4, "float32"), (1.6, "bfloat16")):
        runtime.faster_precision.cache_clear()
        speeds = [{"float32": 1.0, "bfloat16": bfloat16}]
        monkeypatch.setattr(runtime, "number_types", lambda device, speeds=speeds: speeds.pop())
        assert runtime.faster_precision(torch.device("cpu")) == expected
        assert runtime.faster_precision(torch.device("cpu")) == expected
    runtime.faster_precision.cache_clear()


def test_extras_and_core_are_those_of_the_project(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names(requirements: list[str]) -> set[str]:
        found = (re.split(r"[\[><=~! ]", each, maxsplit=1)[0] for each in requirements)
        return {name.lower() for name in found}

    assert {name.lower() for name in runtime.CORE} == names(project["dependencies"])
    extras = {k: names(v) for k, v in project["optional-dependencies"].items() if k != "dev"}
    modules = {name: {m.replace("-", "_") for m in names} for name, names in extras.items()}
    assert {name: set(found) for name, found in runtime.EXTRAS.items()} == modules


def test_versions_are_known() -> None:
    # The build (+cpu, +cu130) may be left out of what the package says of itself.
    assert torch.__version__.startswith(runtime.versions()["torch"])
    assert "not installed" not in runtime.versions().values()

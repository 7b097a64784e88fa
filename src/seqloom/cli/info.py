"""``seqloom info``: versions, devices, extras."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer


def info(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show versions, threads, devices with their speed, and which extras are installed."""
    import seqloom
    from seqloom import runtime

    device = runtime.choose_device()
    facts: dict[str, Any] = {
        "seqloom": seqloom.__version__,
        "versions": runtime.versions(),
        "threads": runtime.set_threads(),
        "devices": runtime.devices(),
        "device": str(device),
        "gflops": {name: round(speed) for name, speed in runtime.number_types(device).items()},
        "extras": runtime.extras(),
    }
    typer.echo(json.dumps(facts, indent=2) if as_json else _text(facts))


def _text(facts: dict[str, Any]) -> str:
    rows = [
        ("seqloom", facts["seqloom"]),
        *facts["versions"].items(),
        ("threads", facts["threads"]),
    ]
    rows += [("device", name) for name in facts["devices"]]
    rows.append(("chosen", f"{facts['device']} (another: --device NAME or SEQLOOM_DEVICE)"))
    rows += [(name, f"{speed:,} GFLOP/s measured") for name, speed in facts["gflops"].items()]
    for name, present in facts["extras"].items():
        state = "installed" if present else f"not installed: pip install 'seqloom[{name}]'"
        rows.append((f"extra {name}", state))
    return "\n".join(f"{name:16} {value}" for name, value in rows)

"""All kinds of records, and reading one whose kind is not known beforehand."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from seqloom.errors import SeqloomError
from seqloom.inspection.record import Record, read_values

KINDS = {
    "alignment": "alignment_record.AlignmentRecord",
    "attention": "attention.AttentionRecord",
    "attention of texts": "attention.AttentionRecords",
    "beam": "beam_record.BeamRecord",
    "heads": "heads_record.HeadsRecord",
    "probes": "probe_record.ProbeRecord",
    "structural probes": "structure_record.StructureRecord",
    "tokens": "tokens.TokensRecord",
    "word map": "wordmap.WordMap",
}
"""Kind -> module and class; imported when one is read, since drawing needs much that reading one
kind does not."""


def load_record(path: str | Path) -> Record:
    """Read a record of any kind from a ``.json`` file; in a notebook it draws itself.

    Raises:
        SeqloomError: the file cannot be read, or is no record that this Seqloom knows.
    """
    kind = read_values(path).get("kind")
    if kind not in KINDS:
        raise SeqloomError(
            f"{path}: not a record: its kind is {kind!r}; expected one of {', '.join(KINDS)}."
        )
    module, name = KINDS[kind].split(".")
    found: type[Record] = getattr(import_module(f"seqloom.inspection.{module}"), name)
    return found.load(path)

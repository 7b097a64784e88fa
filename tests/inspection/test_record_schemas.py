"""Every kind of record has a schema in the docs and a sample; both say what the program does."""

from __future__ import annotations

import copy
import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Iterator
from functools import cache, reduce
from operator import getitem
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

sys.path.append(str(Path(__file__).parent))

import record_samples
from record_samples import RECORDS, SAMPLES

import seqloom.inspection
from seqloom.errors import SeqloomError
from seqloom.inspection import probing
from seqloom.inspection.alignment_record import FOUND
from seqloom.inspection.attention import AttentionRecord
from seqloom.inspection.attention_map import DETAILS, PARTS
from seqloom.inspection.beam_tree import FATES, OPTIONS, RULES, SAMPLING, STOPS, WAYS
from seqloom.inspection.head_roles import BLEU, LIKELIHOOD, ROLES
from seqloom.inspection.heads_record import HeadsRecord
from seqloom.inspection.kinds import load_record
from seqloom.inspection.probe_record import CONTROL, TASK
from seqloom.inspection.probing import KINDS
from seqloom.inspection.projection import METHODS
from seqloom.inspection.record import Record

SCHEMAS = Path(__file__).parents[2] / "docs" / "records"
ASKED_FOR = {"lengths", *DETAILS, *SAMPLING}
"""Fields that a record of the newest version may lack."""
FILES = sorted(RECORDS.glob("*.json"))

Place = tuple[str | int, ...]


def kinds() -> dict[str, type[Record]]:
    """Every record of the package by its kind."""
    for module in pkgutil.iter_modules(seqloom.inspection.__path__):
        importlib.import_module(f"seqloom.inspection.{module.name}")
    found, waiting = dict[str, type[Record]](), [Record]
    while waiting:
        for each in waiting.pop().__subclasses__():
            waiting.append(each)
            if each.__module__.startswith("seqloom.") and not inspect.isabstract(each):
                found[each.kind] = each
    return found


def schema_of(kind: str) -> dict[str, Any]:
    path = SCHEMAS / f"{kind.replace(' ', '-')}.schema.json"
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def validator(kind: str) -> Draft202012Validator:
    schemas = [schema_of(each) for each in kinds()]
    resources = ((each["$id"], Resource.from_contents(each)) for each in schemas)
    registry: Any = Registry().with_resources(resources)
    return Draft202012Validator(schema_of(kind), registry=registry)


def sample(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def plain(record: Record) -> Any:
    """The record as its file holds it."""
    return json.loads(json.dumps(record.as_dict()))


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of a schema that is an object."""
    if isinstance(schema, dict):
        yield schema
    if isinstance(schema, dict | list):
        for each in schema.values() if isinstance(schema, dict) else schema:
            yield from objects(each)


def test_every_kind_has_a_schema_and_a_sample() -> None:
    assert kinds().keys() >= {"attention", "heads", "beam", "word map"}
    names = {kind.replace(" ", "-") for kind in kinds()}
    assert {path.name.removesuffix(".schema.json") for path in SCHEMAS.iterdir()} == names
    assert names <= {path.stem for path in FILES}
    assert {path.stem for path in FILES} == {
        *SAMPLES,
        "attention-version-1",
        "heads-version-1",
    }


def test_no_record(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"kind": "picture"}')
    with pytest.raises(SeqloomError, match=r"a\.json: not a record: its kind is 'picture'; expec"):
        load_record(tmp_path / "a.json")


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_a_schema_is_one_and_says_what_every_field_is(kind: str) -> None:
    schema = schema_of(kind)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["$id"] == f"urn:seqloom:record:{kind.replace(' ', '-')}"
    assert schema["title"] and schema["description"]
    for each in (part for part in objects(schema) if part.get("type") == "object"):
        for name, field in each.get("properties", {}).items():
            assert field.get("description"), f"{kind}: {name}"
        if "properties" in each:
            assert each["additionalProperties"] is False
            assert each["properties"].keys() - set(each["required"]) <= ASKED_FOR
    newest = schema["$defs"]["version_2"] if kind == "attention" else schema
    assert newest["properties"]["kind"]["const"] == kind
    version = newest["properties"]["version"]
    assert version.get("const", version.get("maximum")) == kinds()[kind].version


def test_names_in_schemas_are_those_of_the_program() -> None:
    def named(kind: str) -> list[list[str]]:
        return [each["enum"] for each in objects(schema_of(kind)) if "enum" in each]

    assert named("attention") == [list(PARTS)]
    assert sorted(named("heads")) == sorted([list(PARTS), list(ROLES), list(ROLES)])
    assert named("probes") == [[TASK, CONTROL], list(KINDS)]
    penalties = ["wu", "average"]
    assert sorted(named("beam")) == sorted([penalties, *map(list, (FATES, RULES, STOPS, WAYS))])
    assert named("word map") == [list(METHODS)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_sample_is_valid_comes_back_equal_and_is_drawn(path: Path) -> None:
    assert path.stat().st_size < 20_000
    values = sample(path)
    validator(values["kind"]).validate(values)
    record = load_record(path)
    assert type(record) is kinds()[values["kind"]]
    if values["version"] == record.version:
        assert plain(record) == values
    assert record.page().startswith("<!doctype html>")
    assert record.picture(".svg").startswith(b"<?xml")


def test_samples_hold_what_can_be_asked_for() -> None:
    """So that the damage below reaches every part of a schema."""
    beam = sample(RECORDS / "beam.json")
    assert [output["way"] for output in beam["outputs"]] == ["beam", "greedy", "sample", "forced"]
    assert set(beam["nodes"]["fate"]) == set(FATES)
    assert beam["options"].keys() == {*OPTIONS, *SAMPLING}
    heads = sample(RECORDS / "heads.json")["heads"]
    assert {each["role"] for head in heads for each in head["evidence"]} == set(ROLES)
    assert all(head["importance"].keys() == {LIKELIHOOD, BLEU} for head in heads)
    runs = sample(RECORDS / "probes.json")["runs"]
    assert [run["update"] for run in runs] == [None, None, None, 5, 5, 1000, 1000]
    assert FOUND in sample(RECORDS / "alignment.json")["figures"]
    assert sample(RECORDS / "tokens.json")["words"][0]["steps"]
    assert sample(RECORDS / "tokens-unigram.json")["words"][0]["scores"]
    for each in sample(RECORDS / "attention.json")["maps"]:
        assert each.keys() >= {"lengths", *DETAILS}


def test_version_1_of_attention_comes_back_as_version_2() -> None:
    values = sample(RECORDS / "attention-version-1.json")
    record = AttentionRecord.load(RECORDS / "attention-version-1.json")
    assert (record.source, record.target) == (values["source"], values["target"])
    [weights] = values["layers"].values()
    np.testing.assert_array_equal(record.weights(head=0), np.float32(weights[0]))
    newer = plain(record)
    assert newer["version"] == 2
    validator("attention").validate(newer)


def test_version_1_of_heads_comes_back_with_baselines_of_no_known_cases() -> None:
    older = HeadsRecord.load(RECORDS / "heads-version-1.json")
    newer = plain(older)
    assert newer["version"] == 2
    validator("heads").validate(newer)
    baselines = [part for e in older.heads[0].evidence for part in e.against.values()]
    assert {(part.low, part.high, part.n) for part in baselines} == {(0, 1, 0)}
    assert older.page() and older.picture_of(older.heads[0], ".svg")


def places(values: Any, at: Place = ()) -> Iterator[Place]:
    """Every place of a record; of lists whose members are alike the last one alone."""
    if at:
        yield at
    if isinstance(values, dict):
        for name, each in values.items():
            yield from places(each, (*at, name))
    elif isinstance(values, list):
        alike = len(set(map(type, values))) == 1
        for number in range(len(values) - 1 if alike else 0, len(values)):
            yield from places(values[number], (*at, number))


def wrong(value: Any) -> Iterator[tuple[str, Any]]:
    """What must not stand in the place of a value."""
    if isinstance(value, dict):
        yield "a field too many in", {**value, "colour": {"no": "such"}}
        yield "text at", "text"
    else:
        yield "an object at", {"no": "such"}
    if isinstance(value, str):
        yield "a number at", 3
    elif isinstance(value, bool | int | float):
        yield "digits at", str(value)


def changes(values: Any) -> Iterator[tuple[str, Any]]:
    """What is wrong, and the record with this one thing wrong in it."""
    yield "a field too many", {**values, "colour": "red"}
    for *owner, last in places(values):
        for what, instead in wrong(reduce(getitem, [*owner, last], values)):
            changed = copy.deepcopy(values)
            reduce(getitem, owner, changed)[last] = instead
            yield f"{what} {(*owner, last)}", changed
        if isinstance(reduce(getitem, owner, values), dict):
            changed = copy.deepcopy(values)
            del reduce(getitem, owner, changed)[last]
            yield f"missing {(*owner, last)}", changed


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_wrong_is_refused_by_schema_and_program(path: Path, tmp_path: Path) -> None:
    values = sample(path)
    schema, kind = validator(values["kind"]), kinds()[values["kind"]]
    damaged, number = tmp_path / "damaged.json", 0
    for what, changed in changes(values):
        refused = not schema.is_valid(changed)
        # Names that a user chose, and what is kept where it is asked for, may be missing.
        assert refused or what.startswith("missing"), f"the schema takes {what}"
        if refused:
            number += 1
            damaged.write_text(json.dumps(changed), encoding="utf-8")
            with pytest.raises(SeqloomError) as caught:
                kind.load(damaged)
                pytest.fail(f"the program takes {what}")
            message = str(caught.value)
            assert message.startswith(f"{damaged}: ") and message.endswith(".")
            assert "\n" not in message and len(message) < 400
    assert number > 15


@pytest.mark.parametrize(
    "make",
    [
        record_samples.attention,
        record_samples.attention_of_texts,
        record_samples.alignment,
        record_samples.beam,
        record_samples.tokens,
        record_samples.word_map,
        lambda: record_samples.probes(seeds=1, checkpoints=False),
    ],
)
def test_records_made_now_are_valid(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for steps in ("_MOST_LOOKS", "_LEAST_STEPS"):  # what probes have learned does not matter
        monkeypatch.setattr(probing, steps, 1)
    record = make()
    validator(record.kind).validate(plain(record))
    assert plain(type(record).from_dict(plain(record))) == plain(record)


def test_the_table_of_the_docs_links_every_schema() -> None:
    text = (SCHEMAS.parent / "inspection.md").read_text(encoding="utf-8")
    for kind, record in kinds().items():
        schema = f"records/{kind.replace(' ', '-')}.schema.json"
        assert f"| [`{kind}`]({schema}) | {record.version} |" in text

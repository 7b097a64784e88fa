"""Model folders: what was saved comes back, and whatever is wrong with one is told plainly."""

from __future__ import annotations

import errno
import json
import os
import pickle
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from seqloom import folder as folders
from seqloom.errors import FolderError, SeqloomError, TokenizerError
from seqloom.folder import load_folder, load_weights, write_text
from seqloom.recipe import recipe_from
from seqloom.tensors import untie
from seqloom.translator import Translator
from tiny import RNN, TRANSFORMER, fresh, save, tokenizers_of, trained_folder, untrained

TEXTS = ["a b c", "h . g"]
ARCHITECTURES: dict[str, tuple[dict[str, Any], bool]] = {
    "transformer": (TRANSFORMER, True),
    "transformer, target tied": ({**TRANSFORMER, "tie": "target"}, True),
    "transformer, untied": ({**TRANSFORMER, "tie": "none", "norm": "post"}, True),
    "transformer, separate": ({**TRANSFORMER, "tie": "target", "positions": "learned"}, False),
    "transformer, rotary": (
        {**TRANSFORMER, "tie": "none", "positions": "rotary", "activation": "swiglu"},
        False,
    ),
    "rnn": (RNN, True),
    "rnn, all tied": ({**RNN, "tie": "all", "cell": "lstm", "wiring": "after"}, True),
    "rnn, separate": ({**RNN, "tie": "none", "cell": "rnn", "attention": "none"}, False),
}


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_folder(tmp_path_factory)


@pytest.fixture
def copy(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy of the trained folder to spoil, without its prepared corpus and checkpoints."""
    ignore = shutil.ignore_patterns("data", "training", "tensorboard")
    return Path(shutil.copytree(tiny_folder, tmp_path / "copy", ignore=ignore))


def edit(path: Path, change: Callable[[Any], Any]) -> None:
    """Change a JSON file."""
    values = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(change(values)), encoding="utf-8")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_round_trip(name: str, tmp_path: Path) -> None:
    model, joint = ARCHITECTURES[name]
    saved = untrained(model, joint=joint)
    save(saved, tmp_path / "model")
    (tmp_path / "model").rename(tmp_path / "moved")
    loaded = Translator.load(tmp_path / "moved", device="cpu")
    assert loaded.recipe == saved.recipe
    assert loaded.tokenizers.joint == joint
    assert (tmp_path / "moved" / "tokenizer.target.json").exists() != joint
    assert not loaded.model.training
    before, after = saved.model.state_dict(), loaded.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    targets = [text.upper() for text in TEXTS]
    assert loaded.score_tokens(TEXTS, targets) == saved.score_tokens(TEXTS, targets)
    # Weights tied before are tied after.
    assert untie(before).keys() == untie(after).keys()
    size = (tmp_path / "moved" / "model.safetensors").stat().st_size
    parameters = sum(parameter.numel() for parameter in saved.model.parameters())
    assert 4 * parameters <= size <= 4 * parameters + 10_000


def test_a_trained_folder_works_as_a_copy(tiny_folder: Path, copy: Path) -> None:
    needed = {"config.json", "model.safetensors", "tokenizer.json", "generation.json"}
    assert needed | {"metrics.jsonl", "README.md"} <= {path.name for path in copy.iterdir()}
    one, two = (Translator.load(folder, device="cpu") for folder in (tiny_folder, copy))
    assert one.translate(TEXTS) == two.translate(TEXTS) == [text.upper() for text in TEXTS]


@pytest.mark.parametrize("name", ["README.md", "metrics.jsonl", "generation.json"])
def test_files_that_a_model_works_without(name: str, copy: Path) -> None:
    (copy / name).unlink()
    loaded = Translator.load(copy, device="cpu")
    assert loaded.recipe.decoding.beam == 2
    assert loaded.translate(["a b"]) == ["A B"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("config.json", r"copy is not a model folder: it holds no config\.json"),
        ("model.safetensors", r"model\.safetensors is missing; copy the whole model folder again"),
        ("tokenizer.json", r"tokenizer\.json: no such tokenizer file"),
    ],
)
def test_missing_files(name: str, message: str, copy: Path) -> None:
    (copy / name).unlink()
    with pytest.raises((FolderError, TokenizerError), match=message):
        load_folder(copy)


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.999])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("config.json", r"config\.json is damaged: not valid JSON \("),
        ("generation.json", r"generation\.json is damaged: not valid JSON \("),
        ("model.safetensors", r"model\.safetensors is truncated or not a safetensors file \("),
        ("tokenizer.json", r"tokenizer\.json: not a valid tokenizer\.json \("),
    ],
)
def test_truncated_files(name: str, message: str, share: float, copy: Path) -> None:
    content = (copy / name).read_bytes().strip()
    (copy / name).write_bytes(content[: int(share * (len(content) - 1))])
    with pytest.raises((FolderError, TokenizerError), match=message):
        load_folder(copy)


def test_one_altered_byte_of_the_weights(copy: Path) -> None:
    """Wherever it is, the header included, the folder is refused with one message of ours."""
    path = copy / "model.safetensors"
    content = path.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    places = [*range(0, header, 97), header, (header + len(content)) // 2, len(content) - 1]
    messages = set()
    for place in places:
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(FolderError) as caught:
            load_folder(copy)
        assert "again" in str(caught.value)
        messages.add(str(caught.value).split(str(copy))[1][:33])
        if place >= header:
            assert "model.safetensors was altered: its contents do not match" in str(caught.value)
    assert len(messages) >= 2
    path.write_bytes(content)
    load_folder(copy)


@pytest.mark.parametrize("name", ["config.json", "generation.json"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[]", r"is damaged: expected a JSON object"),
        (b"nonsense", r"is damaged: not valid JSON"),
        (b'{"a": "\xff"}', r"is damaged: not valid JSON"),
    ],
)
def test_files_of_other_contents(name: str, content: bytes, message: str, copy: Path) -> None:
    (copy / name).write_bytes(content)
    with pytest.raises(FolderError, match=message):
        load_folder(copy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, r"config\.json has format 2; this Seqloom reads up to 1\. Update Seqloom"),
        ({"format": None}, r"config\.json is damaged: it names no format"),
        ({"format": [1]}, r"config\.json is damaged: it names no format"),
        ({"recipe": None}, r"config\.json: 1 problem in the recipe:\n  - expected sections"),
        ({"recipe": {"model": {"wide": 3}}}, r"config\.json: 1 .*\n  - model\.wide: unknown key"),
        ({"vocabulary": None}, r"config\.json is damaged: it names no vocabulary sizes"),
        ({"vocabulary": {"source": 9}}, r"config\.json is damaged: it names no vocabulary sizes"),
        (
            {"vocabulary": {"source": 10**15, "target": 9}},
            r"config\.json describes another model than model\.safetensors holds",
        ),
        ({"recipe": {}}, r"config\.json describes another model than model\.safetensors holds"),
    ],
)
def test_damaged_configs(change: dict[str, Any], message: str, copy: Path) -> None:
    edit(copy / "config.json", lambda values: {**values, **change})
    with pytest.raises(FolderError, match=message):
        load_folder(copy)


def test_a_checkpoint_of_hugging_face_is_to_be_imported(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(FolderError, match=r"of Hugging Face; make a folder of it: seqloom import "):
        load_folder(tmp_path)
    with pytest.raises(FolderError, match=r"is a name, not a .*: seqloom import hub:a/b --out DIR"):
        load_folder(Path("hub:a/b"))


def test_an_older_format_is_patched(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of format 0 that called the recipe by another name."""
    edit(
        copy / "config.json",
        lambda values: {"format": 0, "run": values["recipe"], "vocabulary": values["vocabulary"]},
    )
    with pytest.raises(FolderError, match="has format 0; this Seqloom reads"):
        load_folder(copy)

    def patch(config: dict[str, Any]) -> dict[str, Any]:
        return {"format": 1, "recipe": config["run"], "vocabulary": config["vocabulary"]}

    monkeypatch.setitem(folders.PATCHES, 0, patch)
    assert load_folder(copy).recipe.data.tokenizer == "word"


def test_files_of_another_model(tmp_path: Path) -> None:
    """Each file of a folder replaced by that of another one, of equal size where possible."""
    recipe = recipe_from({"data": {"tokenizer": "word"}, "model": TRANSFORMER}, "test")
    wider = recipe_from({"data": {"tokenizer": "word"}, "model": {**TRANSFORMER, "width": 16}}, "")
    one = save(fresh(recipe, tokenizers_of()), tmp_path / "one")
    turned = save(fresh(recipe, tokenizers_of(turn=3)), tmp_path / "turned")
    wide = save(fresh(wider, tokenizers_of()), tmp_path / "wide")
    sizes = [(folder / "tokenizer.json").stat().st_size for folder in (one, turned)]
    assert sizes[0] == sizes[1]

    def message(name: str, origin: Path) -> str:
        spoiled = Path(shutil.copytree(one, tmp_path / "spoiled", dirs_exist_ok=True))
        shutil.copy(origin / name, spoiled / name)
        with pytest.raises(FolderError) as caught:
            load_folder(spoiled)
        return str(caught.value)

    assert "tokenizer.json is not the one that the model was trained with" in message(
        "tokenizer.json", turned
    )
    assert "tokenizer.json is not the one that the model was trained with" in message(
        "model.safetensors", turned
    )
    described = "config.json describes another model than model.safetensors holds"
    assert described in message("config.json", wide)
    assert described in message("model.safetensors", wide)
    # Other weights of the same architecture and tokenizer are another training of it: no mistake.
    again = save(fresh(recipe, tokenizers_of(), seed=2), tmp_path / "again")
    shutil.copy(again / "model.safetensors", one / "model.safetensors")
    load_folder(one)


def test_tokenizers_of_both_sides(tmp_path: Path) -> None:
    model = save(untrained({**TRANSFORMER, "tie": "none"}, joint=False), tmp_path / "model")
    source, target = model / "tokenizer.json", model / "tokenizer.target.json"
    original = target.read_bytes()
    target.unlink()
    with pytest.raises(FolderError, match=r"tokenizer\.target\.json is missing; copy the whole"):
        load_folder(model)
    shutil.copy(source, target)
    with pytest.raises(FolderError, match=r"model: tokenizer\.target\.json is not the one"):
        load_folder(model)
    shutil.copy(source, tmp_path / "source.json")
    source.write_bytes(original)
    target.write_bytes((tmp_path / "source.json").read_bytes())
    with pytest.raises(FolderError, match=r"model: tokenizer\.json is not the one"):
        load_folder(model)
    joint = save(untrained(TRANSFORMER), tmp_path / "joint")
    (joint / "tokenizer.target.json").write_bytes(original)
    with pytest.raises(FolderError, match=r"joint: tokenizer\.target\.json is not the one"):
        load_folder(joint)


def test_things_that_are_no_model_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    for name, reason in {
        "file": "that is a file",
        "no": "it does not exist",
        "empty": "it holds no config.json",
    }.items():
        with pytest.raises(FolderError, match=rf"{name} is not a model folder: {reason}"):
            load_folder(str(tmp_path / name))


def test_decoding_options_can_be_edited(copy: Path) -> None:
    edit(copy / "generation.json", lambda values: {**values, "beam": 3, "nbest": 3})
    loaded = Translator.load(copy, device="cpu")
    assert loaded.recipe.decoding.beam == 3
    assert len(next(loaded.stream(["a b"])).outputs) == 3
    (copy / "generation.json").write_text('{"beam": 1}', encoding="utf-8")  # the rest by default
    assert load_folder(copy).recipe.decoding.beam == 1
    edit(copy / "generation.json", lambda _: {"beam": "many", "beams": 3, "top_p": 7})
    with pytest.raises(FolderError) as caught:
        load_folder(copy)
    assert str(caught.value) == (
        f"{copy / 'generation.json'}: 3 problems in the recipe:\n"
        "  - decoding.beam: input should be a valid integer, unable to parse string as an integer "
        "(given: 'many')\n"
        "  - decoding.top_p: input should be less than or equal to 1 (given: 7)\n"
        "  - decoding.beams: unknown key; did you mean decoding.beam?"
    )


def test_no_pickle(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder from a stranger cannot run code: nothing that could is ever called or opened."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a pickle was read")

    for name in ("model.bin", "pytorch_model.bin", "model.pt", "data.pkl"):
        (copy / name).write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, never)
    monkeypatch.setattr(torch, "load", never)
    load_folder(copy)
    (copy / "model.safetensors").unlink()
    with pytest.raises(FolderError, match=r"model\.safetensors is missing"):
        load_folder(copy)
    torch_file = copy / "model.safetensors"
    torch_file.write_bytes((copy / "model.bin").read_bytes())
    with pytest.raises(FolderError, match="truncated or not a safetensors file"):
        load_folder(copy)


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_file_modes_follow_the_umask(umask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        saved = save(untrained(TRANSFORMER), tmp_path / "model")
    finally:
        now = os.umask(before)
    assert now == umask  # what was read was put back
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in saved.iterdir()}
    assert modes == dict.fromkeys(modes, mode)
    assert len(modes) == 4


def refuse(code: int) -> Callable[..., Any]:
    def raise_error(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return raise_error


@pytest.mark.parametrize(
    ("code", "reason"), [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "no permission")]
)
@pytest.mark.parametrize("what", ["replace", "write_text", "save_file", "mkdir"])
def test_writing_fails_cleanly(
    what: str, code: int, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old file stays, nothing half-written is left, and the message names the file."""
    translator = untrained(TRANSFORMER)
    out = save(translator, tmp_path / "model")
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def library(*_: object, **__: object) -> None:
        (out / "model.safetensors.part").write_bytes(b"half")
        raise safetensors.SafetensorError(f"I/O error: {os.strerror(code)} (os error {code})")

    with monkeypatch.context() as patch:
        if what == "save_file":
            patch.setattr("seqloom.tensors.save_file", library)
        else:
            patch.setattr(Path, what, refuse(code))
        with pytest.raises(FolderError, match=rf"cannot write {out}.*: {reason}"):
            save(translator, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_is_full_indeed(tmp_path: Path) -> None:
    (tmp_path / "a.json.part").symlink_to("/dev/full")
    with pytest.raises(FolderError, match=r"a\.json: the disk is full"):
        write_text(tmp_path / "a.json", "x" * 100_000)
    assert list(tmp_path.iterdir()) == []


def test_all_mismatches_are_listed(tmp_path: Path) -> None:
    model = untrained(TRANSFORMER).model
    weights = {name: tensor.clone() for name, tensor in untie(model.state_dict()).items()}
    before = {name: tensor.clone() for name, tensor in weights.items()}
    weights["stranger"] = torch.ones(1)
    del weights["encoder.norm.weight"]
    weights["encoder.norm.bias"] = torch.ones(3)
    for tensor in weights.values():
        tensor.zero_()
    with pytest.raises(FolderError) as caught:
        load_weights(model, weights, tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} does not fit its config.json:\n"
        "  - encoder.norm.bias: expected (32,), found (3,)\n"
        "  - missing: encoder.norm.weight\n"
        "  - surplus: stranger"
    )
    # Nothing was copied.
    assert all(torch.equal(before[name], t) for name, t in untie(model.state_dict()).items())


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "generation.json"])
def test_one_altered_byte_of_a_text_file_never_ends_in_a_traceback(name: str, copy: Path) -> None:
    path = copy / name
    content = path.read_bytes()
    for place in range(0, len(content), max(1, len(content) // 25)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 2]) + content[place + 1 :])
        try:
            load_folder(copy)
        except SeqloomError as error:
            assert str(copy) in str(error)

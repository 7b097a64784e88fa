"""The folder of a run: whose it is, what is in it, what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from training_toys import TRANSFORMER, Watcher, assert_same, contents, recipe_of

from seqloom.corpus.store import TokenStore
from seqloom.corpus.toy import reverse_corpus
from seqloom.errors import FolderError
from seqloom.folder import load_config
from seqloom.models import build_model
from seqloom.recipe import Recipe
from seqloom.tensors import load_tensors
from seqloom.training.average import average_folders
from seqloom.training.batches import PairFeed
from seqloom.training.cost import epoch_of_pairs, measure
from seqloom.training.metrics import Metrics, draw_curves, read_metrics
from seqloom.training.sizes import choose_sizes
from seqloom.training.tasks import Translation
from seqloom.workflow import train

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def trained(words: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Watcher]:
    """A finished run; tests that change it take a copy."""
    out, watcher = tmp_path_factory.mktemp("run") / "out", Watcher()
    train(recipe_of(source=words, updates=21, keep=2), out, progress=watcher, device="cpu")
    return out, watcher


@pytest.fixture
def run(trained: tuple[Path, Watcher], tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained[0], tmp_path / "run"))


def test_what_a_run_leaves(trained: tuple[Path, Watcher]) -> None:
    out, watcher = trained
    names = {path.name for path in out.iterdir()}
    assert names == {
        "README.md", "config.json", "curves.png", "generation.json", "metrics.jsonl",
        "model.safetensors", "tensorboard", "tokenizer.json", "training",
    }  # fmt: skip
    assert sorted(path.name for path in (out / "training").iterdir()) == [
        "checkpoint.safetensors", "request.json", "weights-0000018.safetensors",
        "weights-0000021.safetensors",
    ]  # fmt: skip
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    lines = read_metrics(out / "metrics.jsonl")
    assert [(x["kind"], x["update"]) for x in lines] == [
        ("training", 1), ("validation", 6), ("validation", 12), ("validation", 18),
        ("training", 20), ("validation", 21),
    ]  # fmt: skip
    assert set(lines[0]) == {
        "kind", "update", "loss", "learning_rate", "gradient_norm", "tokens_per_second", "seconds",
    }  # fmt: skip
    assert set(lines[1]) == {"kind", "update", "loss", "bleu", "chrf", "exact", "seconds"}
    assert lines[0]["loss"] == watcher.losses[0]
    assert any((out / "tensorboard").iterdir())


def test_the_cost_is_told_beforehand(trained: tuple[Path, Watcher]) -> None:
    (summary,) = trained[1].summaries
    assert list(summary) == [
        "training pairs", "parameters", "device", "memory", "speed", "batches", "expected",
    ]  # fmt: skip
    assert "cpu, float32" in str(summary["device"])
    assert str(summary["expected"]).startswith("21 updates = ")
    assert "nan" not in str(summary)


def test_measuring_changes_nothing_even_with_a_single_batch(words: Path) -> None:
    recipe = recipe_of(batch_tokens=100_000)
    store = TokenStore.open(words / "train.arrow")
    torch.manual_seed(1)
    model = build_model(recipe.model, 400, 400)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    training = recipe.training
    feed = PairFeed(store, training.batch_tokens, training.seed)
    epoch = epoch_of_pairs(store, training.batch_tokens)
    summary = measure(model, Translation(training), feed, epoch, training, CPU)
    assert_same(model.state_dict(), before)
    assert all(p.grad is None for p in model.parameters())
    assert summary["parameters"] == sum(p.numel() for p in model.parameters())
    assert str(summary["batches"]).startswith("1 an epoch")
    assert "= 12.0 epochs" in str(summary["expected"])
    assert "nan" not in str(summary)


def test_the_card_says_what_the_model_is(trained: tuple[Path, Watcher]) -> None:
    out, watcher = trained
    card = (out / "README.md").read_text(encoding="utf-8")
    best = max(watcher.figures, key=lambda figures: (figures["bleu"], -figures["loss"]))
    tensors, _ = load_tensors(out / "model.safetensors")
    parameters = sum(tensor.numel() for tensor in tensors.values())
    assert card.startswith("# Seqloom model: source → target\n")
    assert "transformer" in card and f"{parameters:,} parameters" in card
    assert f"| validation loss (nats a token) | {best['loss']:.2f} |" in card
    assert f"| validation BLEU (sacreBLEU, greedy) | {best['bleu']:.2f} |" in card
    pairs = json.loads((out / "training" / "request.json").read_text())["data"]["source"]
    assert f"| training pairs | {len(TokenStore.open(Path(pairs) / 'train.arrow'))} |" in card
    assert "seqloom translate" in card and "seqloom.load(" in card
    assert "  batch_tokens: 200\n" in card


def test_another_recipe_is_refused(run: Path, words: Path) -> None:
    before = contents(run)
    other = recipe_of(source=words, model={**TRANSFORMER, "width": 32}, updates=21, keep=2, seed=5)
    with pytest.raises(FolderError) as caught:
        train(other, run, device="cpu")
    assert str(caught.value) == (
        f"{run} holds another run:\n"
        "  - model.width: 16 there, 32 asked for\n"
        "  - training.seed: 1 there, 5 asked for\n"
        f"Choose another --out, or remove {run}."
    )
    assert contents(run) == before


def test_another_corpus_is_refused(run: Path, words: Path, pieces: Path) -> None:
    recipe = recipe_of(source=pieces, updates=21, keep=2)
    with pytest.raises(FolderError, match=r"data\.source: .*words.* there, .*pieces.* asked for"):
        train(recipe, run, device="cpu")
    request = json.loads((run / "training" / "request.json").read_text())
    request["tokenizer"] = "0"
    (run / "training" / "request.json").write_text(json.dumps(request))
    with pytest.raises(FolderError, match="the corpus has changed since"):
        train(recipe_of(source=words, updates=21, keep=2), run, device="cpu")


@pytest.mark.parametrize("text", ["{", "3", '{"model": {}}', '{"model": 1, "training": 2}'])
def test_a_damaged_request_is_refused(text: str, run: Path, words: Path) -> None:
    (run / "training" / "request.json").write_text(text)
    with pytest.raises(FolderError, match=r"request\.json is damaged; start afresh"):
        train(recipe_of(source=words, updates=21, keep=2), run, device="cpu")


@pytest.mark.parametrize(
    "files",
    [
        ["thesis.tex"],
        ["config.json", "model.safetensors", "tokenizer.json"],  # a model of somebody else
        ["data/mine.csv", "notes.txt"],
        ["training/mine.csv"],
    ],
)
def test_foreign_files_are_refused_and_untouched(
    files: list[str], words: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for name in files:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("{}")
    before = contents(out)
    with pytest.raises(FolderError, match=r"out exists and holds other files \(.*choose another"):
        train(recipe_of(source=words), out, device="cpu")
    assert contents(out) == before


def test_a_file_for_a_folder_is_refused(words: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("mine")
    with pytest.raises(FolderError, match="is a file; --out names a folder"):
        train(recipe_of(source=words), out, device="cpu")
    assert out.read_text() == "mine"


@pytest.mark.usefixtures("no_pictures")
def test_a_beginning_that_was_killed_is_no_obstacle(tmp_path: Path) -> None:
    """In the middle of preparing, or between the first files of the run."""
    out = tmp_path / "out"
    (out / ".data.part").mkdir(parents=True)
    (out / ".data.part" / "train.clean.parquet").write_text("half")
    corpus, data = reverse_corpus(60, 1), {"tokenizer": "word", "validation_share": 0.1}
    train(recipe_of(data=data, updates=2), out, corpus=corpus, device="cpu")
    assert not (out / ".data.part").exists()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (out / name).unlink()
    (out / "training" / "checkpoint.safetensors").unlink()
    train(recipe_of(data=data, updates=2), out, corpus=corpus, device="cpu")
    assert (out / "model.safetensors").exists()


def test_the_same_corpus_in_memory_goes_on_and_another_does_not(tmp_path: Path) -> None:
    out, data = tmp_path / "out", {"tokenizer": "word", "validation_share": 0.1}
    recipe = recipe_of(data=data, updates=2)
    train(recipe, out, corpus=reverse_corpus(60, 1), device="cpu")
    train(recipe, out, corpus=reverse_corpus(60, 1), device="cpu")
    with pytest.raises(FolderError, match="holds another preparation"):
        train(recipe, out, corpus=reverse_corpus(60, 2), device="cpu")


def test_no_permission_is_explained(words: Path, tmp_path: Path, monkeypatch) -> None:
    def refuse(*rest: object, **options: object) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(FolderError, match="no permission to write there; choose another place"):
        train(recipe_of(source=words), tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()


def test_sizes_follow_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqloom.training.sizes.faster_precision", lambda device: "bfloat16")
    small = choose_sizes(Recipe(), 29_000, 29_000 * 14, CPU)
    # 406,000 tokens in batches of 4096 are 99 updates an epoch, 60 epochs
    assert (small.training.updates, small.training.validate_every) == (5940, 297)
    assert small.training.precision == "bfloat16"
    widths = [choose_sizes(Recipe(), n, n * 20, CPU).model.width for n in (10**4, 10**5, 10**6)]
    assert widths == [128, 256, 512]
    assert choose_sizes(Recipe(), 10**8, 10**10, CPU).training.updates == 100_000
    assert choose_sizes(Recipe(), 10, 100, CPU).training.updates == 300


def test_sizes_that_were_asked_for_stay() -> None:
    recipe = recipe_of(updates=7, validate_every=3)
    assert choose_sizes(recipe, 10**6, 10**7, CPU) == recipe


def test_metrics_drop_what_comes_after(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path, 0)
    for update in (1, 2, 3):
        metrics.add("training", update, {"loss": float(update), "learning_rate": 0.1})
    metrics.close()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "trai')
    again = Metrics(tmp_path, 2)
    again.add("training", 3, {"loss": 9.0, "learning_rate": 0.1})
    again.close()
    lines = read_metrics(tmp_path / "metrics.jsonl")
    assert [(x["update"], x["loss"]) for x in lines] == [(1, 1.0), (2, 2.0), (3, 9.0)]
    assert read_metrics(tmp_path / "nothing") == []


def test_a_full_disk_leaves_no_half_picture(tmp_path: Path, monkeypatch) -> None:
    from matplotlib.figure import Figure

    def full(figure: Figure, path: Path, **options: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(FolderError, match="the disk is full"):
        draw_curves(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_curves_show_the_figures_that_there_are(tmp_path: Path, monkeypatch) -> None:
    from matplotlib.axes import Axes

    labels: list[str] = []
    plot = Axes.plot

    def watched(self: Axes, *points: object, **options: Any) -> object:
        labels.append(options["label"])
        return plot(self, *points, **options)

    monkeypatch.setattr(Axes, "plot", watched)
    lines = [{"kind": "training", "update": 1, "loss": 2.0}]
    lines += [{"kind": "validation", "update": 1, "seconds": 3.0, "accuracy": 9.0, "loss": 1.0}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "metrics.jsonl").write_text(text, encoding="utf-8")
    draw_curves(tmp_path)
    assert labels == ["training", "accuracy", "validation"]
    assert (tmp_path / "curves.png").stat().st_size > 0


def test_average_of_the_checkpoints_of_a_run(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "mean"
    assert average_folders([run], out) == 2
    left, right = (
        load_tensors(run / "training" / f"weights-00000{n}.safetensors")[0] for n in (18, 21)
    )
    mean, _ = load_tensors(out / "model.safetensors")
    assert mean.keys() == left.keys()
    for name, tensor in mean.items():
        torch.testing.assert_close(tensor, (left[name] + right[name]) / 2)
    assert load_config(out)[0].model == load_config(run)[0].model
    card = (out / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# Average of 2 models") and "# Seqloom model" in card


def test_averages_that_make_no_sense_are_refused(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "mean"
    with pytest.raises(FolderError, match="exists already; choose another --out"):
        average_folders([run], run)
    (run / "training" / "weights-0000018.safetensors").unlink()
    with pytest.raises(FolderError, match="keeps 1 checkpoint in its training folder"):
        average_folders([run], out)
    with pytest.raises(FolderError, match="is not a model folder: it does not exist"):
        average_folders([run, tmp_path / "none"], out)
    (run / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(FolderError, match="is truncated or not a safetensors file"):
        average_folders([run, run], out)
    assert not out.exists()


def test_only_models_of_one_kind_are_averaged(run: Path, words: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    recipe = recipe_of(source=words, model={**TRANSFORMER, "feedforward": 40}, updates=1)
    train(recipe, other, device="cpu")
    with pytest.raises(FolderError, match=r"other has another architecture than .*run; only"):
        average_folders([run, other], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()

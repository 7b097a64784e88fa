"""Checkpoints and models that one side has and the other cannot have: one message tells it all."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest
import theirs as their
import torch
from safetensors.torch import load_file, save_file

import tiny
from seqloom.errors import ExportError, FolderError
from seqloom.export import gpt, seq2seq
from seqloom.export.huggingface import export_huggingface, import_huggingface
from seqloom.export.settings import Settings
from seqloom.folder import load_folder
from seqloom.recipe import TransformerRecipe
from seqloom.recipe.language import GptRecipe

transformers = pytest.importorskip("transformers")

LLAMA = {
    "model_type": "llama", "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 2,
    "num_attention_heads": 2, "max_position_embeddings": 16, "vocab_size": 20,
}  # fmt: skip


def llama(folder: Path) -> Path:
    tokenizer = their.byte_fallback()
    config = transformers.LlamaConfig(**LLAMA | {"vocab_size": tokenizer.get_vocab_size()})
    roles = {"bos": "<s>", "eos": "</s>", "unk": "<unk>"}
    return their.write(folder, transformers.LlamaForCausalLM(config), tokenizer, roles)


def change(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_an_unknown_family_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "t5"}')
    with pytest.raises(ExportError, match=r"model_type is 't5'; Seqloom reads marian, .*qwen2"):
        import_huggingface(tmp_path, tmp_path / "out")


def test_a_folder_without_config_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"holds no config\.json; give the folder"):
        import_huggingface(tmp_path, tmp_path / "out")
    with pytest.raises(ExportError, match="nothing is no folder"):
        import_huggingface(tmp_path / "nothing", tmp_path / "out")


def test_an_output_of_its_own_must_be_there(tmp_path: Path) -> None:
    path = llama(tmp_path / "theirs") / "model.safetensors"
    weights = load_file(path)
    del weights["lm_head.weight"]
    save_file(weights, path)
    with pytest.raises(ExportError, match=r"do not fit its config\.json:\n  - missing: lm_head"):
        import_huggingface(tmp_path / "theirs", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_all_unsupported_settings_are_listed() -> None:
    scaling = {"rope_type": "yarn", "factor": 2.0}
    wrong = {
        "hidden_act": "gelu", "rope_scaling": scaling, "attention_bias": True, "hidden_size": None,
    }  # fmt: skip
    with pytest.raises(ExportError) as caught:
        gpt.recipe_of(Settings(LLAMA | wrong, "config.json"))
    assert str(caught.value) == (
        "config.json: this llama has settings that Seqloom's models do not:\n"
        "  - hidden_act: Seqloom knows 'silu' or 'swish' (given: 'gelu')\n"
        "  - hidden_size: expected a whole number (given: None)\n"
        "  - rope_scaling: Seqloom does not scale positions (given: 'yarn')\n"
        "  - attention_bias, mlp_bias: Seqloom knows both or none of them (given: True, False)"
    )


def test_layers_with_different_windows_are_refused() -> None:
    mixed = LLAMA | {"model_type": "qwen2", "use_sliding_window": True, "sliding_window": 4}
    with pytest.raises(ExportError, match="one window for all layers"):
        gpt.recipe_of(Settings(mixed | {"max_window_layers": 1}, "config.json"))
    whole = Settings(mixed | {"max_window_layers": 0}, "config.json")
    assert gpt.recipe_of(whole).window == 4


def test_heads_that_do_not_fit_are_told() -> None:
    wrong = Settings(LLAMA | {"num_attention_heads": 3}, "config.json")
    with pytest.raises(ExportError, match=r"3 does not divide model\.width 8"):
        gpt.recipe_of(wrong)


def test_all_weights_that_do_not_fit_are_listed(tmp_path: Path) -> None:
    folder = llama(tmp_path / "theirs")
    weights = load_file(folder / "model.safetensors")
    del weights["model.norm.weight"]
    weights["model.layers.0.mlp.up_proj.weight"] = torch.zeros(9, 8)
    weights["model.layers.2.input_layernorm.weight"] = torch.zeros(8)
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ExportError) as caught:
        import_huggingface(folder, tmp_path / "ours")
    assert str(caught.value).split("\n")[1:] == [
        "  - missing: model.norm.weight",
        "  - model.layers.0.mlp.up_proj.weight: expected (8, 8), found (9, 8)",
        "  - surplus: model.layers.2.input_layernorm.weight",
    ]
    assert not (tmp_path / "ours").exists()


def test_a_tokenizer_of_another_checkpoint_is_refused(tmp_path: Path) -> None:
    folder = llama(tmp_path / "theirs")
    change(folder, vocab_size=100)
    with pytest.raises(ExportError, match=r"tokens, and config\.json says vocab_size 100"):
        import_huggingface(folder, tmp_path / "ours")


def test_a_missing_or_damaged_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = llama(tmp_path / "theirs")
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ExportError, match="is no tokenizer that can be read"):
        import_huggingface(folder, tmp_path / "ours")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ExportError, match=r"holds no tokenizer\.json"):
        import_huggingface(folder, tmp_path / "ours")
    (folder / "source.spm").touch()
    with pytest.raises(ExportError, match=r"in source\.spm \(SentencePiece\).*save_pretrained"):
        import_huggingface(folder, tmp_path / "ours")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = llama(tmp_path / "theirs")
    with pytest.raises(ExportError, match="is there already; choose a new folder"):
        import_huggingface(folder, folder)
    with pytest.raises(ExportError, match="is there already; choose a new folder"):
        export_huggingface(tmp_path / "nothing", folder)


def test_nothing_half_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, ours, back = (tmp_path / name for name in ("theirs", "ours", "back"))
    llama(theirs)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("seqloom.export.language.save_language_weights", full)
        with pytest.raises(FolderError, match="the disk is full"):
            import_huggingface(theirs, ours)
    assert list(tmp_path.iterdir()) == [theirs]
    assert import_huggingface(theirs, ours) == ours
    assert (ours / "README.md").read_text().startswith("# ours\n")
    with monkeypatch.context() as broken:
        broken.setattr("seqloom.export.language.write_weights", full)
        with pytest.raises(FolderError, match="the disk is full"):
            export_huggingface(ours, back)
    assert not back.exists()
    assert (export_huggingface(ours, back) / "model.safetensors").exists()
    assert sorted(tmp_path.iterdir()) == [back, ours, theirs]


def test_a_recurrent_model_cannot_be_exported(tmp_path: Path) -> None:
    folder = tiny.save(tiny.untrained(tiny.RNN), tmp_path / "ours")
    with pytest.raises(ExportError, match=r"recurrent model.*only Transformers"):
        export_huggingface(folder, tmp_path / "out")


def test_every_switch_that_stands_in_the_way_is_told() -> None:
    recipe = TransformerRecipe(positions="rotary", activation="swiglu", width=16, heads=2)
    with pytest.raises(ExportError) as caught:
        seq2seq.family_of(recipe)
    assert (
        "- marian: needs model.norm=post (here: pre), model.positions=sinusoidal (here: rotary), "
        "model.activation=relu|gelu|silu (here: swiglu)\n"
    ) in str(caught.value)
    assert "- m2m_100: needs model.positions=fairseq (here: rotary)" in str(caught.value)
    with pytest.raises(ExportError, match=r"gpt2: needs model\.positions=learned \(here: rotary\)"):
        gpt.family_of(GptRecipe(positions="rotary"))


def test_a_folder_of_ours_is_known_after_import(tmp_path: Path) -> None:
    """An exported model of ours has no invented beginning: it comes back as it was."""
    first = tiny.save(tiny.untrained(tiny.TRANSFORMER), tmp_path / "ours")
    theirs = export_huggingface(first, tmp_path / "theirs")
    again = load_folder(import_huggingface(theirs, tmp_path / "again"))
    before = load_folder(first)
    assert again.recipe.model == before.recipe.model
    for name, tensor in before.model.state_dict().items():
        assert torch.equal(tensor, again.model.state_dict()[name]), name
    assert again.tokenizers.source.encode("a b c.") == before.tokenizers.source.encode("a b c.")

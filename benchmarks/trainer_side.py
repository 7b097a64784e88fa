"""The side of transformers in benchmarks/language.py; runs in its own environment.

BertForMaskedLM and GPT2LMHeadModel, trained by the library's own Trainer with its own collator for
language models, as its example scripts do it: the texts end to end, cut into full contexts
(``full``), or one text a row, padded (``padded``), of like length together. Then `generate`.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from peers import Course, Link
from torch import Tensor
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DataCollatorForLanguageModeling,
    GenerationConfig,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)

NEVER = 10**6


def build(request: dict[str, Any]) -> BertForMaskedLM | GPT2LMHeadModel:
    """A new model of the sizes asked for."""
    model, symbols = request["model"], request["symbols"]
    ends = {
        "pad_token_id": symbols["pad"], "bos_token_id": symbols["begin"],
        "eos_token_id": symbols["end"],
    }  # fmt: skip
    if model["family"] == "bert":
        return BertForMaskedLM(
            BertConfig(
                vocab_size=request["vocabulary"], hidden_size=model["width"],
                num_hidden_layers=model["layers"], num_attention_heads=model["heads"],
                intermediate_size=model["feedforward"], max_position_embeddings=model["context"],
                hidden_dropout_prob=model["dropout"],
                attention_probs_dropout_prob=model["attention_dropout"], **ends,
            )
        )  # fmt: skip
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=request["vocabulary"], n_embd=model["width"], n_layer=model["layers"],
            n_head=model["heads"], n_inner=model["feedforward"], n_positions=model["context"],
            embd_pdrop=model["dropout"], resid_pdrop=model["dropout"],
            attn_pdrop=model["attention_dropout"], **ends,
        )
    )  # fmt: skip


def examples(request: dict[str, Any]) -> list[dict[str, list[int]]]:
    """What a row holds: a full context of all texts end to end, or one text."""
    stored = np.load(request["texts"])
    context, symbols = request["model"]["context"], request["symbols"]
    texts = np.split(stored["ids"], np.cumsum(stored["sizes"])[:-1])
    framed = [[symbols["begin"], *map(int, text), symbols["end"]] for text in texts]
    if request["rows"] == "padded":
        return [{"input_ids": text[:context]} for text in framed]
    stream = [token for text in framed for token in text]
    starts = range(0, len(stream) - context + 1, context)
    return [{"input_ids": stream[start : start + context]} for start in starts]


class TrainingIsOver(Exception):  # noqa: N818
    """The benchmark wants no more updates."""


class Counted(Trainer):
    """The Trainer, telling the benchmark what it trains on."""

    course: Course

    def compute_loss(self, model: Any, inputs: dict[str, Tensor], **more: Any) -> Any:
        """One update begins: there is one batch in each."""
        real = inputs["attention_mask"]
        if not self.course.begin(tokens=int(real.sum()), positions=real.numel()):
            raise TrainingIsOver
        return super().compute_loss(model, inputs, **more)


def train(model: Any, request: dict[str, Any], link: Link) -> None:
    """Updates until the benchmark has enough."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=request["tokenizer"], pad_token="<pad>", mask_token="<mask>",
        bos_token="<s>", eos_token="</s>", unk_token="<unk>",
    )  # fmt: skip
    rows = examples(request)
    mean = sum(len(row["input_ids"]) for row in rows) / len(rows)
    masked = request["model"]["family"] == "bert"
    arguments = TrainingArguments(
        output_dir=request["folder"], use_cpu=True, report_to="none", disable_tqdm=True,
        save_strategy="no", logging_strategy="steps", logging_steps=20, max_steps=NEVER,
        per_device_train_batch_size=max(1, round(request["batch_tokens"] / mean)),
        learning_rate=1e-3, weight_decay=0.01, warmup_steps=100, seed=1,
        train_sampling_strategy="random" if request["rows"] == "full" else "group_by_length",
    )  # fmt: skip
    trainer = Counted(
        model=model, args=arguments, train_dataset=rows,
        data_collator=DataCollatorForLanguageModeling(
            tokenizer, mlm=masked, mlm_probability=request["masked"] if masked else None
        ),
    )  # fmt: skip
    link.send(
        parameters=sum(p.numel() for p in model.parameters()), threads=torch.get_num_threads(),
        precision="float32",
    )  # fmt: skip
    trainer.course = Course(link)
    try:
        trainer.train()
    except TrainingIsOver:
        return


def with_weights(model: GPT2LMHeadModel, path: str) -> GPT2LMHeadModel:
    """Their model with the weights of a Seqloom GPT."""
    ours = torch.load(path, weights_only=True)
    theirs = {
        "transformer.wte.weight": ours["tokens.weight"],
        "transformer.wpe.weight": ours["positions.table"],
        "lm_head.weight": ours["output.weight"],
    }
    modules = {
        "self_attention_norm": "ln_1", "self_attention.output": "attn.c_proj",
        "feedforward_norm": "ln_2", "feedforward.inner": "mlp.c_fc",
        "feedforward.outer": "mlp.c_proj",
    }  # fmt: skip
    for kind in ("weight", "bias"):
        theirs[f"transformer.ln_f.{kind}"] = ours[f"norm.{kind}"]
        for layer in range(model.config.n_layer):
            here, there = f"layers.{layer}.", f"transformer.h.{layer}."
            joint = [ours[f"{here}self_attention.{n}.{kind}"] for n in ("query", "key", "value")]
            theirs[f"{there}attn.c_attn.{kind}"] = torch.cat(joint).t()
            for mine, other in modules.items():
                tensor = ours[f"{here}{mine}.{kind}"]
                # Their linear weights lie the other way round.
                turned = tensor.t() if tensor.ndim == 2 else tensor
                theirs[f"{there}{other}.{kind}"] = turned
    model.load_state_dict(theirs)
    return model.eval()


def generate(model: GPT2LMHeadModel, request: dict[str, Any]) -> dict[str, Any]:
    """Go on from all prompts together, with a cache."""
    sampled = {"top_p": request["top_p"], "top_k": 0} if request["sample"] else {}
    config = GenerationConfig(
        do_sample=request["sample"], max_new_tokens=request["new_tokens"], use_cache=True,
        pad_token_id=model.config.pad_token_id, bos_token_id=model.config.bos_token_id,
        eos_token_id=model.config.eos_token_id, **sampled,
    )  # fmt: skip
    prompts = torch.tensor([[model.config.bos_token_id, *ids] for ids in request["prompts"]])
    began = time.perf_counter()
    with torch.inference_mode():
        found = model.generate(
            prompts, attention_mask=torch.ones_like(prompts), generation_config=config
        )
    seconds = time.perf_counter() - began
    end = model.config.eos_token_id
    outputs = []
    for ids in found[:, prompts.shape[1] :].tolist():
        outputs.append(ids[: ids.index(end)] if end in ids else ids)
    return {"seconds": seconds, "outputs": outputs}


def main() -> None:
    """Train in rounds, or go on from prompts as often as asked."""
    link = Link()
    request = link.receive()
    torch.manual_seed(1)
    model = build(request)
    if "weights" not in request:
        train(model, request, link)
        link.send()
        return
    model = with_weights(model, request["weights"])
    link.send(threads=torch.get_num_threads())
    while True:
        link.send(**generate(model, link.receive()))


if __name__ == "__main__":
    main()

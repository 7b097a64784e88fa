"""The side of Hugging Face transformers in a benchmark; runs in its own environment.

What a person writes who trains a model of that library from scratch without its Trainer: pairs
sorted by target length, batches of a number of positions, forward, backward, clip, Adam. The model
is Marian's. For decoding, weights that Seqloom trained are put into M2M100's, which differs from
Marian's in having the norm before each block, and `generate` does the work.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from peers import Course, Link
from torch import Tensor
from torch.nn import functional as F
from transformers import (
    GenerationConfig,
    M2M100Config,
    M2M100ForConditionalGeneration,
    MarianConfig,
    MarianMTModel,
)

PAD, BOS, EOS = 0, 1, 2
"""As Seqloom numbers them."""
Pair = tuple[list[int], list[int]]

MODULES = {
    "feedforward.inner": "fc1",
    "feedforward.outer": "fc2",
    "feedforward_norm": "final_layer_norm",
    "self_attention_norm": "self_attn_layer_norm",
    "cross_attention_norm": "encoder_attn_layer_norm",
    "self_attention.": "self_attn.",
    "cross_attention.": "encoder_attn.",
    ".query.": ".q_proj.",
    ".key.": ".k_proj.",
    ".value.": ".v_proj.",
    ".output.": ".out_proj.",
    "encoder.norm.": "encoder.layer_norm.",
    "decoder.norm.": "decoder.layer_norm.",
}
"""Parts of Seqloom's parameter names -> theirs."""


def read_pairs(folder: Path) -> list[Pair]:
    """Pairs of ids, one number a token, as the benchmark wrote them."""
    sides = [(folder / f"train.{language}").read_text().splitlines() for language in ("en", "de")]
    return [
        ([int(i) for i in source.split()], [int(i) for i in target.split()])
        for source, target in zip(*sides, strict=True)
    ]


def batches(pairs: list[Pair], positions: int) -> Iterator[dict[str, Tensor]]:
    """Batches of at most that many target positions, endlessly, in a new order every epoch."""
    by_length = sorted(pairs, key=lambda pair: (len(pair[1]), len(pair[0])))
    groups: list[list[Pair]] = [[]]
    for pair in by_length:
        if (len(groups[-1]) + 1) * (len(pair[1]) + 1) > positions:
            groups.append([])
        groups[-1].append(pair)
    while True:
        random.shuffle(groups)
        for group in groups:
            source = pad([[*source, EOS] for source, _ in group])
            target = pad([[*target, EOS] for _, target in group])
            begin = torch.full((len(group), 1), BOS)
            yield {
                "input_ids": source,
                "attention_mask": source.ne(PAD),
                "decoder_input_ids": torch.cat([begin, target[:, :-1]], dim=1),
                "labels": target,
            }


def pad(rows: list[list[int]]) -> Tensor:
    """Ids of several lengths as one tensor [B T]."""
    longest = max(map(len, rows))
    return torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])


def sizes(model: dict[str, Any], vocabulary: int) -> dict[str, Any]:
    """The model section of a Seqloom recipe in their words."""
    return {
        "vocab_size": vocabulary,
        "d_model": model["width"],
        "encoder_layers": model["encoder_layers"],
        "decoder_layers": model["decoder_layers"],
        "encoder_attention_heads": model["heads"],
        "decoder_attention_heads": model["heads"],
        "encoder_ffn_dim": model["feedforward"],
        "decoder_ffn_dim": model["feedforward"],
        "dropout": model["dropout"],
        "attention_dropout": 0.0,
        "activation_dropout": 0.0,
        "activation_function": "relu",
        "scale_embedding": True,
        "max_position_embeddings": model["max_positions"],
        "encoder_layerdrop": 0.0,
        "decoder_layerdrop": 0.0,
        "pad_token_id": PAD,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "decoder_start_token_id": BOS,
        "forced_eos_token_id": None,
    }


def build_optimizer(
    model: MarianMTModel, training: dict[str, Any]
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """Adam, and a rate that rises and then falls with the square root of the updates."""
    optimizer = torch.optim.Adam(
        model.parameters(), lr=training["learning_rate"], betas=(0.9, 0.98), eps=1e-9
    )
    warm_up = training["warmup"]
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda n: min((n + 1) / warm_up, (warm_up / (n + 1)) ** 0.5)
    )
    return optimizer, schedule


def train(request: dict[str, Any], pairs: list[Pair], link: Link) -> None:
    """Updates until the benchmark has enough."""
    torch.manual_seed(1)
    random.seed(1)
    training = request["training"]
    model = MarianMTModel(MarianConfig(**sizes(request["model"], request["vocabulary"]))).train()
    optimizer, schedule = build_optimizer(model, training)
    bfloat16 = request["precision"] == "bfloat16"
    link.send(
        parameters=sum(p.numel() for p in model.parameters() if p.requires_grad),
        pairs=len(pairs),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        precision=request["precision"],
    )

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        model.eval()
        found = translate(model, request["sources"], request)
        model.train()
        return found

    course = Course(link, answer)
    for batch in batches(pairs, training["batch_tokens"]):
        labels = batch.pop("labels")
        going_on = course.begin(
            target_tokens=int(labels.ne(PAD).sum()),
            target_positions=labels.numel(),
            source_tokens=int(batch["attention_mask"].sum()),
            source_positions=batch["input_ids"].numel(),
        )
        if not going_on:
            break
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            logits = model(**batch, use_cache=False).logits
            loss = F.cross_entropy(
                logits.flatten(0, 1),
                labels.flatten(),
                ignore_index=PAD,
                label_smoothing=training["label_smoothing"],
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), training["clip"])
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()


def with_weights(request: dict[str, Any], path: str) -> M2M100ForConditionalGeneration:
    """Their model with the weights of a Seqloom Transformer (pre-norm, all tied)."""
    model = M2M100ForConditionalGeneration(
        M2M100Config(**sizes(request["model"], request["vocabulary"]))
    )
    theirs = model.state_dict()
    ours = torch.load(path, weights_only=True)
    for name, tensor in ours.items():
        if name in ("output.weight", "positions") or "tokens" in name:
            continue
        for part, other in MODULES.items():
            name = name.replace(part, other)
        assert theirs[f"model.{name}"].shape == tensor.shape, name
        theirs[f"model.{name}"] = tensor
    embedding = ours["output.weight"].clone()
    embedding[PAD] = 0
    for name in ("model.shared", "model.encoder.embed_tokens", "model.decoder.embed_tokens"):
        theirs[f"{name}.weight"] = embedding
    theirs["lm_head.weight"] = ours["output.weight"]
    model.load_state_dict(theirs)
    for side in (model.model.encoder, model.model.decoder):
        # Another kind of sines and cosines; row 0 is padding's, since PAD is 0.
        positions = ours["positions"]
        side.embed_positions.weights[1 : 1 + len(positions)] = positions
    return model.eval()


def translate(
    model: M2M100ForConditionalGeneration | MarianMTModel,
    sources: list[list[int]],
    request: dict[str, Any],
) -> dict[str, Any]:
    """Decode with `generate`, sentences of like length together."""
    config = GenerationConfig(
        num_beams=request["beam"],
        max_new_tokens=request["longest"],
        length_penalty=request["length_penalty"],
        early_stopping=False,
        do_sample=False,
        pad_token_id=PAD,
        bos_token_id=BOS,
        eos_token_id=EOS,
        decoder_start_token_id=BOS,
    )
    order = sorted(range(len(sources)), key=lambda row: len(sources[row]))
    outputs: list[list[int]] = [[] for _ in sources]
    started = time.perf_counter()
    for start in range(0, len(order), request["batch"]):
        rows = order[start : start + request["batch"]]
        source = pad([[*sources[row], EOS] for row in rows])
        with torch.inference_mode():
            found = model.generate(
                input_ids=source, attention_mask=source.ne(PAD), generation_config=config
            )
        for row, ids in zip(rows, found[:, 1:].tolist(), strict=True):
            outputs[row] = ids[: ids.index(EOS)] if EOS in ids else [i for i in ids if i != PAD]
    return {"seconds": time.perf_counter() - started, "outputs": outputs}


def main() -> None:
    """Train in rounds, then decode as often as asked."""
    link = Link()
    first = link.receive()
    train(first, read_pairs(Path(first["folder"])), link)
    link.send()
    while True:
        request = link.receive()
        if "load" in request:
            model = with_weights(first, request["load"])
            link.send()
        else:
            link.send(**translate(model, request["sources"], request))


if __name__ == "__main__":
    main()

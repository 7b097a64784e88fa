"""A GPT in plain PyTorch, as a person writes it who knows the field: the reference of a benchmark.

    python benchmarks/plain_gpt.py      (benchmarks/tinyshakespeare.py starts it, and talks to it)

Nothing here comes from Seqloom. The model is that of recipes/tinyshakespeare.yaml: pre-norm blocks,
rotary positions, GELU, one matrix for embedding and output. It trains in float32 with AdamW on
random windows of the text, with warm-up, half a cosine over the minutes it has, dropout, weight
decay on matrices and clipping, and stops its clock while it is judged.

Axes: B rows, T positions, H heads, K head width, D width, V characters.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from peers import Link
from torch import Tensor, nn
from torch.nn import functional as F

JUDGED_ROWS = 64
"""Rows that are judged at a time."""


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary positions for x [B H T K]."""
    left, right = x.chunk(2, dim=-1)
    return torch.cat([left * cosine - right * sine, right * cosine + left * sine], dim=-1)


class Block(nn.Module):
    """Attention and feed-forward, each behind a norm."""

    def __init__(self, width: int, inner: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.Linear(width, 3 * width)
        self.mixed = nn.Linear(width, width)
        self.inner, self.outer = nn.Linear(width, inner), nn.Linear(inner, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """[B T D] -> [B T D]."""
        rows, length, width = x.shape
        parts = self.attention(self.norm1(x)).view(rows, length, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        context = F.scaled_dot_product_attention(
            rotate(query, cosine, sine), rotate(key, cosine, sine), value, is_causal=True
        )
        x = x + self.dropout(self.mixed(context.transpose(1, 2).reshape(rows, length, width)))
        hidden = F.gelu(self.inner(self.norm2(x)), approximate="tanh")
        return x + self.dropout(self.outer(hidden))


class PlainGpt(nn.Module):
    """Characters in, logits of the next ones out."""

    def __init__(self, model: dict[str, Any], size: int) -> None:
        super().__init__()
        width, layers = model["width"], model["layers"]
        self.tokens = nn.Embedding(size, width)
        self.dropout = nn.Dropout(model["dropout"])
        self.blocks = nn.ModuleList(
            Block(width, model["feedforward"], model["heads"], model["dropout"])
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, size, bias=False)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                last = name.endswith(("mixed.weight", "outer.weight"))
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * layers) if last else 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(weight)
        self.output.weight = self.tokens.weight
        half = width // model["heads"] // 2
        steps = 10000.0 ** (-torch.arange(half) / half)
        angles = torch.arange(model["context"])[:, None] * steps
        self.register_buffer("cosine", angles.cos())
        self.register_buffer("sine", angles.sin())

    def forward(self, ids: Tensor) -> Tensor:
        """Ids [B T] -> logits [B T V]."""
        x = self.dropout(self.tokens(ids))
        cosine, sine = self.cosine[: ids.shape[1]], self.sine[: ids.shape[1]]
        for block in self.blocks:
            x = block(x, cosine, sine)
        return self.output(self.norm(x))


@torch.inference_mode()
def validation_loss(logits: Callable[[Tensor], Tensor], ids: Tensor, context: int) -> float:
    """Mean cross-entropy in nats of all characters but the first, in full contexts end to end.

    Args:
        logits: of rows of ids [B T].
        ids: the text.
        context: characters T of a row; the last row is shorter.
    """
    total, count = 0.0, len(ids) - 1
    whole = count // context
    inputs, targets = (part[: whole * context].view(-1, context) for part in (ids[:-1], ids[1:]))
    groups = [*zip(inputs.split(JUDGED_ROWS), targets.split(JUDGED_ROWS), strict=True)]
    if count > whole * context:
        groups.append((ids[None, whole * context : -1], ids[None, whole * context + 1 :]))
    for rows, following in groups:
        found = logits(rows).flatten(0, 1)
        total += float(F.cross_entropy(found, following.flatten(), reduction="sum"))
    return total / count


def train(request: dict[str, Any], link: Link) -> None:
    """Train for the minutes asked for; answer with the loss at every judgement."""
    torch.manual_seed(request["seed"])
    text, held_out = (torch.from_numpy(np.load(request[name])) for name in ("train", "validation"))
    context, rows = request["model"]["context"], request["rows"]
    model = PlainGpt(request["model"], request["vocabulary"])
    matrices = [weight for weight in model.parameters() if weight.ndim > 1]
    vectors = [weight for weight in model.parameters() if weight.ndim < 2]
    groups = [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(
        groups, lr=request["rate"], betas=(0.9, 0.99), weight_decay=0.1, fused=True
    )
    link.send(parameters=sum(p.numel() for p in model.parameters()))
    seconds, updates, every = 0.0, 0, request["seconds"] / request["judgements"]
    for judgement in range(1, request["judgements"] + 1):
        while seconds < judgement * every:
            began = time.perf_counter()
            course = math.cos(math.pi * min(seconds / request["seconds"], 1.0))
            share = min((updates + 1) / request["warmup"], 0.1 + 0.9 * (1 + course) / 2)
            for group in optimizer.param_groups:
                group["lr"] = share * request["rate"]
            starts = torch.randint(len(text) - context, (rows,))
            windows = torch.stack([text[start : start + context + 1] for start in starts])
            logits = model(windows[:, :-1])
            loss = F.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            updates += 1
            seconds += time.perf_counter() - began
        model.eval()
        link.receive()
        link.send(
            seconds=seconds, updates=updates, tokens=updates * rows * context,
            loss=validation_loss(model, held_out, context),
        )  # fmt: skip
        model.train()


if __name__ == "__main__":
    the_link = Link()
    train(the_link.receive(), the_link)

"""A tiny masked model that keeps to the contract: each token sees the sum of its document."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqloom.layers.dropout import Dropout
from seqloom.models.base import MaskedModel


class ToyMasked(MaskedModel):
    def __init__(self, size: int = 30, width: int = 8, dropout: float = 0.0, seed: int = 1) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.tokens = nn.Embedding(size, width)
        self.positions = nn.Embedding(200, width)
        self.segments = nn.Embedding(2, width)
        self.mixing = nn.Linear(width, width)
        self.pooling = nn.Linear(width, width)
        self.output = nn.Linear(width, size)
        self.dropout = Dropout(dropout)
        for table in (self.tokens, self.positions, self.segments):
            nn.init.normal_(table.weight, std=0.3)

    def stages(self) -> list[list[nn.Module]]:
        below = [self.tokens, self.positions, self.segments, self.dropout]
        return [below, [self.mixing], [self.pooling, self.output]]

    @property
    def head(self) -> nn.Linear:
        return self.output

    def forward(
        self, ids: Tensor, documents: Tensor | None = None, segments: Tensor | None = None
    ) -> Tensor:
        documents = torch.ones_like(ids) if documents is None else documents
        segments = torch.zeros_like(ids) if segments is None else segments
        same = (documents[:, :, None] == documents[:, None, :]) & (documents > 0)[:, None, :]
        before = same.tril(-1).sum(-1)
        x = self.tokens(ids) + self.positions(before) + self.segments(segments)
        seen = same.float() @ x / same.sum(-1, keepdim=True).clamp(min=1).sqrt()
        return torch.tanh(x + self.mixing(self.dropout(seen)))

    def readout(self, hidden: Tensor) -> Tensor:
        return hidden

    def pool(self, first: Tensor) -> Tensor:
        return torch.tanh(self.pooling(first))

    def follows(self, pooled: Tensor) -> Tensor:
        return pooled[..., :2]

"""Tiny models that keep to the contract: with attention, a table, and one that reads prompts."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqloom.layers.state import RecurrentState
from seqloom.models.base import CausalModel, EncoderDecoder, Memory
from seqloom.symbols import BOS, EOS, PAD, SPECIALS, Symbols


class ToyGru(EncoderDecoder):
    """A GRU decoder with dot attention; random weights, large enough to have clear opinions."""

    def __init__(self, seed: int, size: int = 12, width: int = 8, sharpness: float = 3.0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.source_embedding = nn.Embedding(40, width)
        self.target_embedding = nn.Embedding(size, width)
        self.cell = nn.GRUCell(2 * width, width)
        self.output = nn.Linear(width, size)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.7)
        nn.init.normal_(self.output.weight, std=sharpness)
        self.dropout = nn.Dropout(0.5)

    def encode(self, source: Tensor, mask: Tensor) -> Memory:
        states = self.dropout(self.source_embedding(source)) * mask[:, :, None]
        summary = states.sum(1) / mask.sum(1, keepdim=True)
        return Memory(states, mask, summary=summary)

    def start(self, memory: Memory) -> RecurrentState:
        return RecurrentState((memory.summary.tanh(),))

    def step(self, memory, state, last):
        (hidden,) = state.hidden
        size, width = memory.states.shape[0], hidden.shape[1]
        query = hidden.view(size, -1, width)
        scores = query @ memory.states.transpose(1, 2)
        scores = scores.masked_fill(~memory.mask[:, None, :], -torch.inf)
        context = (scores.softmax(-1) @ memory.states).reshape(-1, width)
        hidden = self.cell(torch.cat([self.target_embedding(last), context], 1), hidden)
        return hidden, RecurrentState((hidden,))

    def decode(self, memory: Memory, target: Tensor) -> Tensor:
        state, outputs = self.start(memory), []
        for last in target.unbind(1):
            hidden, state = self.step(memory, state, last)
            outputs.append(hidden)
        return torch.stack(outputs, 1)

    @property
    def head(self) -> nn.Linear:
        return self.output


class ToyGpt(CausalModel):
    """A GRU that reads one text; random weights, large enough to have clear opinions."""

    def __init__(
        self, seed: int, size: int = 12, symbols: Symbols = CausalModel.symbols, width: int = 8
    ) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.symbols = symbols
        self.embedding = nn.Embedding(size, width)
        self.cell = nn.GRUCell(width, width)
        self.output = nn.Linear(width, size)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.9)

    def forward(self, ids, documents=None):
        hidden, outputs = torch.zeros(len(ids), self.cell.hidden_size), []
        for token in ids.unbind(1):
            hidden = self.cell(self.embedding(token), hidden)
            outputs.append(hidden)
        return torch.stack(outputs, 1)

    def encode(self, source: Tensor, mask: Tensor) -> Memory:
        assert mask.any(dim=1).all()
        lengths = mask.sum(1)
        states = torch.cat([torch.zeros(len(source), 1, 8), self(source)[:, :-1]], 1)
        rows, before = torch.arange(len(source)), lengths - 1
        read = torch.arange(source.shape[1] - 1) < before[:, None]
        return Memory(
            states[:, 1:], read, summary=states[rows, before], opening=source[rows, before]
        )

    def start(self, memory: Memory) -> RecurrentState:
        return RecurrentState((memory.summary,))

    def step(self, memory, state, last):
        hidden = self.cell(self.embedding(last), state.hidden[0])
        return hidden, RecurrentState((hidden,))

    def decode(self, memory: Memory, target: Tensor) -> Tensor:
        return ToyGru.decode(self, memory, target)

    @property
    def head(self) -> nn.Linear:
        return self.output


class Table(EncoderDecoder):
    """The next token depends on the last one alone, with the probabilities of a table."""

    def __init__(self, rows: dict[int, dict[int, float]], size: int) -> None:
        super().__init__()
        table = torch.zeros(size, size)
        for last, following in rows.items():
            assert abs(sum(following.values()) - 1) < 1e-9, last
            for token, probability in following.items():
                table[last, token] = probability
        self.output = nn.Linear(size, size, bias=False)
        self.output.weight = nn.Parameter(table.clamp(min=1e-30).log().t(), requires_grad=False)

    def encode(self, source: Tensor, mask: Tensor) -> Memory:
        return Memory(source[:, :, None].float(), mask)

    def start(self, memory: Memory) -> RecurrentState:
        return RecurrentState(())

    def step(self, memory, state, last):
        return self._one_hot(last), state

    def decode(self, memory: Memory, target: Tensor) -> Tensor:
        return self._one_hot(target)

    @property
    def head(self) -> nn.Linear:
        return self.output

    def _one_hot(self, ids: Tensor) -> Tensor:
        return nn.functional.one_hot(ids, self.output.in_features).float()


A, B, C, D = range(len(SPECIALS), len(SPECIALS) + 4)
"""Ordinary tokens for tables."""


def garden_path() -> Table:
    """Greedy starts with A (0.6) and ends at 0.6*0.3 = 0.18; B first gives 0.4*0.9*1 = 0.36."""
    return Table(
        {
            BOS: {A: 0.6, B: 0.4},
            A: {C: 0.3, D: 0.25, EOS: 0.2, A: 0.25},
            B: {D: 0.9, EOS: 0.1},
            C: {EOS: 1.0},
            D: {EOS: 1.0},
        },
        size=8,
    )


def random_sources(seed: int, lengths: list[int], size: int = 40) -> tuple[Tensor, Tensor]:
    """Random source ids [B S] that end in EOS, with their mask."""
    generator = torch.Generator().manual_seed(seed)
    source = torch.full((len(lengths), max(lengths)), PAD)
    for row, length in enumerate(lengths):
        ids = torch.randint(len(SPECIALS), size, (length - 1,), generator=generator)
        source[row, :length] = torch.cat([ids, torch.tensor([EOS])])
    return source, source.ne(PAD)

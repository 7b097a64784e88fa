"""Recurrent encoder-decoder: from one fixed context (Sutskever et al. 2014, Cho et al. 2014) to
attention before (Bahdanau et al. 2015) or after (Luong et al. 2015) the state update.

What a step of the decoder reads, with e the previous token's embedding and c the context::

    attention none, context initial            e            state starts from c
    attention none, context input              c            e is not read
    attention none, context input_and_output   e, c         c also reaches the output
    attention, wiring before                   e, c_t       c_t from the state before the step
    attention, wiring after                    e            c_t from the state after the step
    attention, wiring after, input feeding     e, h~        h~ is the last attentional state

The attentional state h~ = tanh(W [s; ...]) has the embedding's width E, so that the output can
share the embedding's weights. Axes: B, S, T, D width, R = B*N rows.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqloom.layers.dropout import Dropout
from seqloom.layers.linear import rounded
from seqloom.layers.recorder import note
from seqloom.layers.recurrent import (
    RecurrentEncoder,
    cell_step,
    initialize_recurrent,
    input_weights,
    recurrent_layers,
    run,
)
from seqloom.layers.state import RecurrentState, State
from seqloom.models.base import EncoderDecoder, Memory
from seqloom.models.rnn_decoder import RecurrentDecoder
from seqloom.recipe import RecurrentRecipe
from seqloom.symbols import PAD


class RecurrentSeq2Seq(EncoderDecoder):
    """Recurrent encoder-decoder with every wiring of the module's table.

    Args:
        recipe: sizes and switches.
        source_size: source vocabulary V.
        target_size: target vocabulary V.
    """

    def __init__(self, recipe: RecurrentRecipe, source_size: int, target_size: int) -> None:
        super().__init__()
        self.recipe = recipe
        width, embedding = recipe.width, recipe.embedding
        target = nn.Embedding(target_size, embedding)
        self.source = target if recipe.tie == "all" else nn.Embedding(source_size, embedding)
        self.dropout = Dropout(recipe.dropout)
        self.encoder = RecurrentEncoder(
            recipe.cell,
            embedding,
            width,
            recipe.encoder_layers,
            recipe.bidirectional,
            recipe.dropout,
        )
        self.decoder = RecurrentDecoder(recipe, target)
        # One transformation for each initial state, or one for the context that is an input.
        self.fixed = self.decoder.attention is None and recipe.context != "initial"
        self.bridge = (
            nn.ModuleList(
                nn.Linear(width, width) for _ in range(1 if self.fixed else recipe.decoder_layers)
            )
            if recipe.bridge == "learned"
            else None
        )
        self.project_out = nn.Linear(embedding, target_size)
        initialize(self)
        if recipe.tie != "none":
            self.project_out.weight = target.weight

    def encode(self, source: Tensor, mask: Tensor) -> Memory:
        """See :meth:`EncoderDecoder.encode`; the summary is the top layer's last state."""
        lengths = mask.sum(dim=1)
        embedded = self.source(source).masked_fill((source == PAD)[..., None], 0.0)
        note(self.source, "hidden", embedded)
        states, finals = self.encoder(self.dropout(embedded), lengths)
        attention = self.decoder.attention
        keys = (attention.prepare(states),) if attention is not None else ()
        return Memory(states, mask, summary=finals[-1], keys=keys)

    def start(self, memory: Memory) -> State:
        """Initial states from the context, as it is or through tanh(W c) (Bahdanau, A.2.2).

        With the context as an input at every step, states start at zero.
        """
        summary = memory.summary
        assert summary is not None
        depth = len(self.decoder.layers)
        zeros = torch.zeros_like(summary)
        if self.fixed:
            hidden = [zeros] * depth
        elif self.bridge is None:
            hidden = [summary] * depth
        else:
            hidden = [torch.tanh(layer(summary)) for layer in self.bridge]
        return RecurrentState(
            tuple(hidden),
            (zeros,) * depth if self.recipe.cell == "lstm" else (),
            summary.new_zeros(len(summary), self.recipe.embedding) if self.decoder.feeds else None,
        )

    @property
    def head(self) -> nn.Linear:
        """See :attr:`EncoderDecoder.head`."""
        return self.project_out

    @property
    def embeddings(self) -> tuple[nn.Embedding, nn.Embedding]:
        """See :attr:`EncoderDecoder.embeddings`."""
        return self.source, self.decoder.tokens

    def context(self, memory: Memory) -> Tensor | None:
        """The fixed context [B D] that is an input at every step, if the recipe wants one."""
        if not self.fixed:
            return None
        assert memory.summary is not None
        if self.bridge is None:
            return memory.summary
        return torch.tanh(self.bridge[0](memory.summary))

    def decode(self, memory: Memory, target: Tensor) -> Tensor:
        """See :meth:`EncoderDecoder.decode`; in parallel unless a step needs the last output."""
        state = self.start(memory)
        assert isinstance(state, RecurrentState)
        tokens = self.decoder.embed(target)
        if self.decoder.early or self.decoder.feeds:
            return self._decode_steps(memory, state, tokens)
        context = self.context(memory)
        if context is not None:
            context = context[:, None].expand(-1, target.shape[1], -1)
        parts = [tokens] if self.decoder.reads_token else []
        x = torch.cat([*parts, context], dim=-1) if context is not None else tokens
        for depth, layer in enumerate(recurrent_layers(self.decoder.layers)):
            cell = state.cell[depth] if state.cell else None
            x = run(layer, self.dropout(x) if depth else x, state.hidden[depth], cell)
            note(self.decoder, f"layers.{depth}.hidden", x)
        if self.decoder.attention is not None:
            context, _ = self._attend(memory, x)
        return self.decoder.output(x, tokens, context)

    def _decode_steps(self, memory: Memory, state: RecurrentState, tokens: Tensor) -> Tensor:
        """One step after the other, with the tokens' share of all inputs projected beforehand."""
        weight, bias = input_weights(recurrent_layers(self.decoder.layers)[0])
        share = weight[:, : self.recipe.embedding]
        projected = F.linear(tokens, share, bias)  # [B T G]
        extra, outputs = self._extra_weight(), []
        # unbind, not an index a step, whose gradients would each be as large as all steps.
        for token, share in zip(tokens.unbind(1), projected.unbind(1), strict=True):
            hidden, state = self._advance(memory, state, token, share, extra)
            outputs.append(hidden)
        return torch.stack(outputs, dim=1)

    def _extra_weight(self) -> Tensor | None:
        """The columns [G ?] of the first layer's W_ih that read what is not the token, if any."""
        if not (self.decoder.feeds or self.decoder.reads_context):
            return None
        weight, _ = input_weights(recurrent_layers(self.decoder.layers)[0])
        tokens = self.recipe.embedding if self.decoder.reads_token else 0
        return rounded(weight[:, tokens:])

    def step(self, memory: Memory, state: State, last: Tensor) -> tuple[Tensor, State]:
        """See :meth:`EncoderDecoder.step`."""
        assert isinstance(state, RecurrentState)
        token = self.decoder.embed(last)
        weight, bias = input_weights(recurrent_layers(self.decoder.layers)[0])
        if self.decoder.reads_token:
            projected = F.linear(token, weight[:, : self.recipe.embedding], bias)
        else:
            projected = bias.expand(len(last), -1)
        return self._advance(memory, state, token, projected, self._extra_weight())

    def _advance(
        self,
        memory: Memory,
        state: RecurrentState,
        token: Tensor,
        projected: Tensor,
        extra: Tensor | None,
    ) -> tuple[Tensor, RecurrentState]:
        """h~ [R E] and the next state, from the embedded token [R E] and its projection [R G]."""
        decoder = self.decoder
        context = self._context_before(memory, state, len(token))
        fed = state.fed if decoder.feeds else context
        if fed is not None and extra is not None:
            projected = projected + F.linear(fed, extra)
        hidden: list[Tensor] = []
        cells: list[Tensor] = []
        for depth, layer in enumerate(recurrent_layers(decoder.layers)):
            if depth:
                projected = F.linear(self.dropout(hidden[-1]), *input_weights(layer))
            old = state.cell[depth] if state.cell else None
            new, cell = cell_step(layer, projected, state.hidden[depth], old)
            note(decoder, f"layers.{depth}.hidden", new)
            hidden.append(new)
            if cell is not None:
                cells.append(cell)
        if decoder.attention is not None and not decoder.early:
            context = self._attend_rows(memory, hidden[-1])
        output = decoder.output(hidden[-1], token, context)
        fed = output if decoder.feeds else None
        return output, RecurrentState(tuple(hidden), tuple(cells), fed)

    def _context_before(self, memory: Memory, state: RecurrentState, rows: int) -> Tensor | None:
        """The context [R D] that is known before the state update, if any."""
        if self.decoder.early:
            return self._attend_rows(memory, state.hidden[-1])
        context = self.context(memory)
        if context is not None and rows != len(context):
            context = context.repeat_interleave(rows // len(context), dim=0)
        return context

    def _attend(self, memory: Memory, query: Tensor) -> tuple[Tensor, Tensor]:
        """Contexts [B T D] and weights [B T S] for queries [B T D]."""
        attention = self.decoder.attention
        assert attention is not None
        return attention(query, memory.keys[0], memory.states, memory.mask)

    def _attend_rows(self, memory: Memory, query: Tensor) -> Tensor:
        """Contexts [R D] for rows [R D]; the hypotheses of a sentence are its queries."""
        sentences = len(memory.mask)
        context, _ = self._attend(memory, query.view(sentences, len(query) // sentences, -1))
        return context.reshape(len(query), -1)


def initialize(model: RecurrentSeq2Seq) -> None:
    """Set every parameter.

    ====================  ==========================================
    embeddings            normal, deviation E^-1/2
    recurrent W_hh        orthogonal, gate by gate
    all other matrices    Glorot uniform
    biases                0; 1 for the LSTM's forget gate (W_ih side)
    output                normal, deviation E^-1/2 (the embedding's, if tied)
    ====================  ==========================================
    """
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=module.embedding_dim**-0.5)
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.RNN | nn.LSTM | nn.GRU):
            initialize_recurrent(module)
    nn.init.normal_(model.project_out.weight, std=model.recipe.embedding**-0.5)

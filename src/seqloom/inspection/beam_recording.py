"""A model searches, and what its search saw becomes a tree: greedy, beam, sampling and a forced
text on the same one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

from seqloom.decoding.forced import walk_along
from seqloom.decoding.hypothesis import Hypothesis
from seqloom.decoding.penalties import penalty_of
from seqloom.decoding.search import search
from seqloom.decoding.stopping import before_stop
from seqloom.decoding.stream import pad
from seqloom.decoding.trace import Progress, Trace, traced
from seqloom.inspection.beam_growth import Growth
from seqloom.inspection.beam_record import BeamRecord
from seqloom.inspection.beam_tree import OPTIONS, SAMPLING, BeamTree, Output, Stopped
from seqloom.models.base import Writer
from seqloom.recipe import DecodingRecipe


@dataclass(frozen=True)
class Reading:
    """What a model is to read and may write, and how ids become text."""

    title: str
    """The text."""
    ids: Sequence[int]
    """Its ids, without the symbols around them."""
    pieces: Callable[[Sequence[int]], list[str]]
    """Names of the tokens that are written."""
    decode: Callable[[Sequence[int]], str]
    """The text of ids that are written; see :mod:`seqloom.decoding.stopping`."""
    begun: Sequence[int] = ()
    """What every output begins with."""
    forced: Sequence[int] | None = None
    """Ids of an output, without the end, that is compared with what search chooses."""


@dataclass(frozen=True)
class Asked:
    """What is to be seen of a search."""

    candidates: int = 5
    """How many of the likeliest tokens of each hypothesis, taken or not."""
    greedy: bool = False
    """Show the path of greedy search, too."""
    sample: bool = False
    """Show ``nbest`` samples, too."""


def record_search(
    model: Writer,
    reading: Reading,
    options: DecodingRecipe,
    asked: Asked,
    progress: Progress | None = None,
) -> BeamRecord:
    """Let ``model`` search as ``options`` say, which do not sample, and keep what it looked at.

    ``progress`` is told how many steps a search has taken.

    Raises:
        DecodingError: as :func:`seqloom.decoding.search.search` and
            :func:`seqloom.decoding.forced.walk_along`.
    """
    run = _Run(model, reading, progress)
    growth = Growth(model.symbols.end)
    target = [] if reading.forced is None else [*reading.forced, model.symbols.end]
    forced = run.along(target, options) if target else None
    trace, best = run.traced(options, asked.candidates, target)
    growth.grow(trace, searched=True)
    growth.add("beam", best)
    if asked.greedy:
        alone = options.model_copy(update={"beam": 1, "nbest": 1})
        seen, found = run.traced(alone, 0)
        growth.grow(seen)
        growth.add("greedy", found)
    if asked.sample:
        seen, found = run.traced(options.model_copy(update={"sample": True}), asked.candidates)
        growth.grow(seen)
        growth.add("sample", found)
    if forced is not None:
        growth.grow(forced)
        growth.add_forced(target)
    return BeamRecord(_tree(growth, reading, options, asked, trace))


@dataclass
class _Run:
    """One model on one text."""

    model: Writer
    reading: Reading
    progress: Progress | None

    def __post_init__(self) -> None:
        device = next(self.model.parameters()).device
        framed = self.model.framed(self.reading.ids)
        self.source, self.mask = pad([framed], self.model.symbols.pad, device)

    def traced(
        self, options: DecodingRecipe, count: int, watched: Sequence[int] = ()
    ) -> tuple[Trace, list[Hypothesis]]:
        with traced(count, watched, self.progress) as trace:
            [found] = search(
                [self.model],
                self.source,
                self.mask,
                options,
                prefixes=[self.reading.begun],
                decode=self.reading.decode,
            )
        return trace, found

    def along(self, target: Sequence[int], options: DecodingRecipe) -> Trace:
        with traced(0, progress=self.progress) as trace:
            walk_along([self.model], self.source, self.mask, target, options, self.reading.begun)
        return trace


def _tree(
    growth: Growth, reading: Reading, options: DecodingRecipe, asked: Asked, trace: Trace
) -> BeamTree:
    """The tree with names of tokens, texts and what the search was told."""
    told = [*OPTIONS, *SAMPLING] if asked.sample else OPTIONS
    known = options.model_dump() | {"longest": trace.longest}
    nodes = growth.nodes(reading.pieces)
    outputs = [
        Output(way, node, _text(reading, ids, () if way == "forced" else options.stop), finished)
        for way, node, ids, finished in growth.outputs
    ]
    return BeamTree(
        reading.title,
        {name: known[name] for name in told},
        [penalty_of(options)(length) for length in range(1, growth.depth + 1)],
        nodes,
        outputs,
        _stopped(trace, outputs[0]),
    )


def _text(reading: Reading, ids: Sequence[int], stop: Sequence[str]) -> str:
    return before_stop(reading.decode(ids), stop)


def _stopped(trace: Trace, best: Output) -> Stopped:
    stop = trace.stop
    if stop is None:  # a walk: greedy search
        return Stopped("ended" if best.finished else "limit", len(trace.steps))
    scores = (value if isfinite(value) else None for value in (stop.attainable, stop.worst))
    return Stopped("final" if stop.final else "limit", stop.step + 1, *scores)

"""What became of a hypothesis, and why: trees of search in words, for terminals and pages alike."""

from __future__ import annotations

from collections.abc import Sequence

from seqloom.inspection.beam_tree import WAYS, BeamTree, Node, Output

_SHOWN = 5
"""Tokens of a step that a table names."""


def heading(tree: BeamTree) -> str:
    """How the search was asked to go."""
    options = tree.options
    beam = "greedy search" if options["beam"] == 1 else f"beam of {options['beam']}"
    parts = [beam, f"length penalty {options['length_penalty']}, alpha {options['alpha']:g}"]
    if options["no_repeat_ngram"]:
        parts.append(f"no n-gram of {options['no_repeat_ngram']} twice")
    if options["repetition_penalty"] != 1:
        parts.append(f"repetition penalty {options['repetition_penalty']:g}")
    return ", ".join([*parts, f"at most {options['longest']} tokens"])


def ending(tree: BeamTree) -> str:
    """Why the search ended."""
    stop = tree.stop
    if stop.rule == "ended":
        return f"The search ended at step {stop.step}, where its only hypothesis did."
    if stop.rule == "limit":
        return f"The search was cut off at its longest output, {stop.step} tokens."
    if stop.attainable is None or stop.worst is None:
        return f"The search stopped after step {stop.step}: no hypothesis was open any more."
    return (
        f"The search stopped after step {stop.step}: the best open hypothesis could reach "
        f"{stop.attainable:.3f} at most, and the last of the n-best has {stop.worst:.3f}."
    )


def named(tree: BeamTree, output: Output) -> str:
    """How an output is called: its way, and its number where there may be several."""
    same = [each.node for each in tree.of_way(output.way)]
    numbered = output.way in ("beam", "sample")
    return f"{output.way} {same.index(output.node) + 1}" if numbered else output.way


def why(tree: BeamTree, number: int) -> str:
    """What became of a node and by what rule."""
    node = tree.nodes[number]
    told = _fate(tree, number, node)
    if node.draw is not None:
        share = f"{100 * node.draw:.2g} %" if node.draw else "never"
        told += f"{'; ' if told else ''}sampling draws it {'with ' if node.draw else ''}{share}"
    return told or "not looked at by the search"


def _fate(tree: BeamTree, number: int, node: Node) -> str:
    best = tree.of_way("beam")
    place = next((i for i, output in enumerate(best, start=1) if output.node == number), None)
    if node.fate == "kept":
        return f"kept: {_rank(node)}"
    if node.fate == "finished":
        if place is not None:
            return f"finished: number {place} of the n-best, score {tree.score(number):.3f}"
        ahead = tree.score(best[-1].node) - tree.score(number)
        return (
            f"finished, but its score of {tree.score(number):.3f} is {ahead:.3f} below the last "
            "of the n-best"
        )
    if node.fate == "pruned":
        needed = f"one of the {2 * tree.options['beam']} best may end here, and it is "
        missed = "" if node.missed is None else f", {node.missed:.3f} below the last that was taken"
        return f"pruned: {needed if node.rule == 'end' else ''}{_rank(node)}{missed}"
    if node.fate == "forbidden":
        return f"forbidden: {_rule(tree, node)}"
    if node.fate == "cut":
        return _cut(tree, place)
    return ""


def _rank(node: Node) -> str:
    return f"number {node.rank} of this step's continuations"


def _rule(tree: BeamTree, node: Node) -> str:
    return {
        "prefix": "the output has to begin otherwise",
        "special": "a special token that no text holds",
        "repeated": f"it would repeat an n-gram of {tree.options['no_repeat_ngram']}",
    }[node.rule]


def _cut(tree: BeamTree, place: int | None) -> str:
    if tree.stop.rule == "limit":
        rest = f", number {place} of the n-best" if place is not None else ""
        return f"cut off at the longest output of {tree.stop.step} tokens{rest}"
    return "still open when the search stopped: nothing could enter the n-best any more"


def verdict(tree: BeamTree, forced: Output) -> list[str]:
    """Why the forced text is not what the search chose, in sentences."""
    if forced.node == tree.winner.node:
        return ["This is what the search chose."]
    return [_departure(tree, forced), *_comparison(tree, forced), *_dearest(tree, forced)]


def _departure(tree: BeamTree, forced: Output) -> str:
    """Where the forced text left the search."""
    path = tree.path(forced.node)
    for step, number in enumerate(path, start=1):
        node = tree.nodes[number]
        if node.fate in ("pruned", "forbidden"):
            return f"It left the search at step {step} with {node.token!r} ({why(tree, number)})."
        if node.fate == "":
            return f"It was still open at step {step - 1}. {ending(tree)}"
    return f"It never left the beam: {why(tree, forced.node)}."


def _comparison(tree: BeamTree, forced: Output) -> list[str]:
    winner = tree.winner
    ours, theirs = tree.score(winner.node), tree.score(forced.node)
    difference = theirs - ours
    told = (
        f"Its score is {_figures(tree, forced.node)}; that of what the search chose is "
        f"{_figures(tree, winner.node)}: {abs(difference):.3f} "
        f"{'more' if difference > 0 else 'less'}."
    )
    for step, number in enumerate(tree.path(forced.node), start=1):
        node = tree.nodes[number]
        if node.fate == "forbidden":
            return [
                told,
                f"No beam finds it: {node.token!r} at step {step} is {why(tree, number)}.",
            ]
    if difference > 0:
        missed = (
            "The model prefers it, and the search missed it (a search error): try a wider beam."
        )
        return [told, missed]
    if not winner.finished:
        return [
            told,
            "But what the search chose is cut off, and finished outputs stand before those: a "
            "wider beam may find it.",
        ]
    return [told, "The model itself prefers the other, so the search is not to blame."]


def _figures(tree: BeamTree, node: int) -> str:
    tokens = f"{tree.depths[node]} token{'' if tree.depths[node] == 1 else 's'}"
    return f"{tree.score(node):.3f} (log-probability {tree.totals[node]:.3f} of {tokens})"


def _dearest(tree: BeamTree, forced: Output) -> list[str]:
    """The step that costs most."""
    before, worst = 0.0, (0.0, 0)
    pairs = tree.pairs(forced)
    for step, pair in enumerate(pairs, start=1):
        worst = min(worst, (pair.difference - before, step))
        before = pair.difference
    loss, step = worst
    if not step:
        return []
    pair = pairs[step - 1]
    return [
        f"Most is lost at step {step}: {_token(tree, pair.forced)} against "
        f"{_token(tree, pair.winner)}, {-loss:.3f}."
    ]


def _token(tree: BeamTree, number: int) -> str:
    if not number:
        return "nothing"
    node = tree.nodes[number]
    return f"{node.token!r} ({node.log_probability:.3f})"


def report(tree: BeamTree) -> str:
    """The search for a terminal: the outputs, the steps of the best one, and the verdict."""
    parts = [heading(tree), _outputs(tree), _steps(tree), ending(tree)]
    if tree.forced is not None:
        parts += [_differences(tree, tree.forced), "\n".join(verdict(tree, tree.forced))]
    return "\n\n".join(parts)


def _outputs(tree: BeamTree) -> str:
    rows = [["", "score", "log-prob.", "tokens", "text"]]
    for way in WAYS:
        for output in tree.of_way(way):
            rows.append(
                [
                    named(tree, output),
                    f"{tree.score(output.node):.3f}",
                    f"{tree.totals[output.node]:.3f}",
                    str(tree.depths[output.node]),
                    " ".join(output.text.split()) + ("" if output.finished else " [cut off]"),
                ]
            )
    return _table(rows, "<>>><")


def _steps(tree: BeamTree) -> str:
    """Step by step, what the best output writes, what else goes on, and the closest loser."""
    rows = [["step", "best", "log-prob.", "number", "others kept", "closest to be kept"]]
    by_step: dict[int, list[int]] = {}
    for number, depth in enumerate(tree.depths):
        by_step.setdefault(depth, []).append(number)
    for step, number in enumerate(tree.path(tree.winner.node), start=1):
        node = tree.nodes[number]
        others = [
            tree.nodes[other]
            for other in by_step[step]
            if other != number and tree.nodes[other].fate in ("kept", "cut", "finished")
        ]
        others.sort(key=lambda each: each.rank or 0)
        named = " ".join(each.token for each in others[:_SHOWN])
        rows.append(
            [
                str(step),
                node.token,
                f"{node.log_probability:.3f}",
                str(node.rank),
                f"{named} +{len(others) - _SHOWN}" if len(others) > _SHOWN else named,
                _closest(tree, by_step[step]),
            ]
        )
    return _table(rows, "><>><<")


def _closest(tree: BeamTree, numbers: Sequence[int]) -> str:
    """The pruned hypothesis that missed by least."""
    missed = [
        (node.missed, node.token)
        for node in map(tree.nodes.__getitem__, numbers)
        if node.fate == "pruned" and node.missed is not None
    ]
    return "{1} (by {0:.3f})".format(*min(missed)) if missed else ""


def _differences(tree: BeamTree, forced: Output) -> str:
    rows = [["step", "chosen", "log-prob.", "forced", "log-prob.", "difference so far"]]
    for step, pair in enumerate(tree.pairs(forced), start=1):
        cells = []
        for number in (pair.winner, pair.forced):
            node = tree.nodes[number]
            cells += [node.token, f"{node.log_probability:.3f}"] if number else ["", ""]
        rows.append([str(step), *cells, f"{pair.difference:+.3f}"])
    return _table(rows, "><><>>")


def _table(rows: Sequence[Sequence[str]], sides: str) -> str:
    """Columns under each other, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)
        ).rstrip()
        for row in rows
    )

"""Trees of searches: what the search found, forced scoring gives and sampling draws is in them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from beam_toys import by_hand

import tiny
from seqloom.decoding.forced import score_pairs
from seqloom.decoding.penalties import penalty_of
from seqloom.decoding.search import search
from seqloom.decoding.stream import pad
from seqloom.errors import DecodingError, SeqloomError
from seqloom.inspection.beam_picture import ROWS, STEPS, draw, rows_of
from seqloom.inspection.beam_record import BeamRecord
from seqloom.inspection.beam_recording import Asked
from seqloom.inspector.beam import beam_of_continuation, beam_of_translation
from seqloom.language_model import LanguageModel
from seqloom.recipe import DecodingRecipe
from tiny_writers import never_ends, sharp_translator, tiny_gpt

ALL = Asked(4, greedy=True, sample=True)
FORCED = {"transformer": "H B", "rnn": "A A", "gpt": " mat saw"}


def options(**values: Any) -> DecodingRecipe:
    return DecodingRecipe(**{"beam": 3, "nbest": 3, "max_tokens": 7, **values})


class Case:
    """A model of one family, its ids of a text, and its tree."""

    def __init__(self, family: str, folder: Path, **values: Any) -> None:
        self.options = options(**values)
        self.force = FORCED[family]
        if family == "gpt":
            self.gpt = LanguageModel.load(tiny_gpt(folder / "gpt"), device="cpu")
            self.model, self.target = self.gpt.writer(), self.gpt.tokenizer
            self.ids = self.target.encode("a cat")
            self.forced_ids = self.target.encode("a cat" + self.force)[len(self.ids) :]
            self.record = beam_of_continuation(self.gpt, "a cat", self.options, ALL, self.force)
        else:
            recipe = tiny.TRANSFORMER if family == "transformer" else tiny.RNN
            translator = sharp_translator(recipe)
            self.model, self.target = translator.model, translator.tokenizers.target
            self.ids = translator.encode(["a c d"])[0]
            self.forced_ids = self.target.encode(self.force)
            self.record = beam_of_translation(translator, "a c d", self.options, ALL, self.force)
        self.tree = self.record.tree

    def search(self, **values: Any) -> Any:
        source, mask = pad([self.model.framed(self.ids)], self.model.symbols.pad, "cpu")
        return search([self.model], source, mask, self.options.model_copy(update=values))[0]

    def gains(self, node: int) -> list[float]:
        return [self.tree.nodes[each].log_probability for each in self.tree.path(node)]


@pytest.fixture(params=["transformer", "rnn", "gpt"])
def case(request: Any, tmp_path: Path) -> Case:
    return Case(request.param, tmp_path)


def check_outputs(case: Case, way: str, found: Any) -> None:
    outputs = case.tree.of_way(way)
    assert len(outputs) == len(found) > 0
    for output, hypothesis in zip(outputs, found, strict=True):
        assert output.finished == hypothesis.finished
        assert case.tree.score(output.node) == pytest.approx(hypothesis.score, abs=1e-5)
        assert case.tree.totals[output.node] == pytest.approx(hypothesis.log_probability, abs=1e-5)
        assert case.gains(output.node) == pytest.approx(
            hypothesis.token_log_probabilities, abs=1e-5
        )
        pieces = [case.tree.nodes[each].token for each in case.tree.path(output.node)]
        assert pieces[: len(hypothesis.ids)] == case.target.pieces(hypothesis.ids)


def test_the_tree_holds_what_every_way_of_search_finds(case: Case) -> None:
    check_outputs(case, "beam", case.search())
    check_outputs(case, "greedy", case.search(beam=1, nbest=1))
    check_outputs(case, "sample", case.search(sample=True))


def test_the_forced_path_has_its_forced_score(case: Case) -> None:
    [expected] = score_pairs([case.model], [case.ids], [case.forced_ids], torch.device("cpu"))
    forced = case.tree.forced
    assert forced is not None
    assert case.gains(forced.node) == pytest.approx(expected, abs=1e-5)
    penalty = penalty_of(case.options)(len(expected))
    assert case.tree.score(forced.node) == pytest.approx(sum(expected) / penalty, abs=1e-5)
    pairs = case.tree.pairs(forced)
    assert pairs[-1].difference == pytest.approx(
        case.tree.totals[forced.node] - case.tree.totals[case.tree.winner.node]
    )
    assert case.record.verdict().startswith("It left the search at step")


def test_scores_add_up_and_no_more_is_kept_than_the_beam_holds(case: Case) -> None:
    tree = case.tree
    penalty = penalty_of(case.options)
    for number, node in enumerate(tree.nodes[1:], start=1):
        parent = tree.totals[node.parent]
        assert tree.totals[number] == pytest.approx(parent + node.log_probability, abs=1e-6)
        depth = tree.depths[number]
        assert tree.score(number) == pytest.approx(tree.totals[number] / penalty(depth))
        if node.fate in ("kept", "cut"):
            assert node.rank is not None and node.rank <= 2 * case.options.beam
            assert tree.nodes[node.parent].fate == "kept"
    for step in range(1, tree.stop.step + 1):
        at = [n for n, depth in zip(tree.nodes, tree.depths, strict=True) if depth == step]
        assert sum(node.fate in ("kept", "cut") for node in at) == 3
        kept = [n for n, d in enumerate(tree.depths) if d == step and tree.nodes[n].fate == "kept"]
        pruned = [
            n for n, d in enumerate(tree.depths)
            if d == step and tree.nodes[n].fate == "pruned" and not tree.nodes[n].rule
        ]  # fmt: skip
        for loser in pruned if kept else ():
            worst = min(tree.totals[winner] for winner in kept)
            missed = tree.nodes[loser].missed
            assert missed == pytest.approx(worst - tree.totals[loser], abs=1e-4)


def test_a_beam_of_one_is_the_greedy_path(case: Case) -> None:
    tree = case.tree
    [greedy] = tree.of_way("greedy")
    alone = case.search(beam=1, nbest=1)[0]
    for number in tree.path(greedy.node):
        others = [tree.nodes[other] for other in tree.children[tree.nodes[number].parent]]
        fine = [other.log_probability for other in others if other.fate != "forbidden"]
        assert tree.nodes[number].log_probability == max(fine)
    assert tree.totals[greedy.node] == pytest.approx(alone.log_probability, abs=1e-5)


def test_rules_and_their_victims(tmp_path: Path) -> None:
    case = Case("rnn", tmp_path, no_repeat_ngram=1)
    tree = case.tree
    forced = tree.forced
    assert forced is not None
    path = tree.path(forced.node)
    assert tree.nodes[path[1]].fate == "forbidden"
    assert tree.nodes[path[1]].rule == "repeated"
    told = case.record.verdict()
    assert "No beam finds it: 'A' at step 2 is forbidden: it would repeat an n-gram of 1" in told


def test_every_output_begins_with_its_language() -> None:
    tokenizers = tiny.tokenizers_of(tags=("de", "en"))
    translator = tiny.untrained(tiny.RNN, tokenizers=tokenizers, tag="both")
    languages = {"target_language": "de", "source_language": "en"}
    record = beam_of_translation(translator, "a", options(), force="B", **languages)
    tree = record.tree
    first = [tree.nodes[number] for number in tree.children[0]]
    assert [node.token for node in first if node.fate == "kept"] == ["<2de>"]
    others = [node for node in first if node.token != "<2de>"]
    assert others and all((n.fate, n.rule) == ("forbidden", "prefix") for n in others)
    assert all(tree.path(output.node)[0] == 1 for output in tree.outputs)
    assert "It left the search at step 2" in record.verdict()


def test_a_search_error_is_told_from_a_models_preference() -> None:
    missed = by_hand([5, 7], beam=1)  # greedily A, and B would have been better
    assert [output.text for output in missed.tree.of_way("beam")] == ["A C"]
    told = missed.verdict()
    assert "It left the search at step 1 with '▁<b>' (pruned: number 2 of this step's" in told
    assert f"{math.log(0.6 / 0.4):.3f} below the last that was taken" in told
    assert "0.693 more. The model prefers it, and the search missed it (a search error)" in told
    found = by_hand([4, 6])
    assert found.tree.winner.text == "<b> D"
    told = found.verdict()
    assert "The model itself prefers the other, so the search is not to blame." in told
    assert "0.693 less" in told
    assert f"Most is lost at step 2: '▁C' ({math.log(0.3):.3f}) against '▁D'" in told
    assert by_hand([5, 7]).verdict() == "This is what the search chose."


def test_an_output_that_finished_too_low_and_one_that_was_never_followed() -> None:
    told = by_hand([5]).verdict()  # B and the end: 0.04
    assert "It never left the beam" not in told
    assert "finished" not in told and "pruned: one of the 4 best may end here" in told
    told = by_hand([4, 6], nbest=1).verdict()
    assert "It never left the beam: finished, but its score of -1.715 is 0.693 below" in told


def test_a_finished_output_stands_before_one_that_was_cut_off() -> None:
    told = by_hand([], max_tokens=1).verdict()
    assert "what the search chose is cut off, and finished outputs stand before those" in told
    assert "It left the search at step 1 with '</s>'" in told


def test_an_output_that_the_search_did_not_wait_for() -> None:
    record = by_hand([4, 4, 6], beam=4)
    told = record.verdict()
    assert "It was still open at step 3. The search stopped after step 3: the best open" in told
    path = record.tree.path(record.tree.outputs[-1].node)
    assert [record.tree.nodes[number].fate for number in path] == ["kept", "kept", "cut", ""]


def test_a_string_ends_a_greedy_search(tmp_path: Path) -> None:
    gpt = LanguageModel.load(tiny_gpt(tmp_path), device="cpu")
    greedy = options(beam=1, nbest=1)
    never_ends(gpt.writer())
    free = beam_of_continuation(gpt, "a cat", greedy).tree
    ended = greedy.model_copy(update={"stop": (free.winner.text.split()[2],)})
    tree = beam_of_continuation(gpt, "a cat", ended, force=" mat on").tree
    assert (
        tree.winner.finished
        and tree.winner.text == " " + " ".join(free.winner.text.split()[:2]) + " "
    )
    assert tree.nodes[tree.winner.node].fate == "finished"
    assert tree.stop.rule == "ended" and tree.stop.step < free.stop.step
    assert tree.forced is not None and tree.forced.text == " mat on"


def test_the_text_for_a_terminal() -> None:
    lines = by_hand([4, 6], Asked(8, greedy=True)).text().splitlines()
    assert lines[0] == "beam of 2, length penalty wu, alpha 0, at most 6 tokens"
    assert lines[2].split() == ["score", "log-prob.", "tokens", "text"]
    assert lines[3].split() == ["beam", "1", "-1.022", "-1.022", "3", "<b>", "D"]
    assert lines[4].split() == ["greedy", "-1.715", "-1.715", "3", "A", "C"]
    assert lines[5].split() == ["forced", "-1.715", "-1.715", "3", "A", "C"]
    assert lines[8].split()[:5] == ["1", "▁<b>", "-0.916", "2", "▁A"]
    assert "The search stopped after step 3" in "\n".join(lines)
    assert lines[-1].startswith("Most is lost at step 2")


def test_a_record_survives_its_file(case: Case, tmp_path: Path) -> None:
    case.record.save(tmp_path / "b.json")
    again = BeamRecord.load(tmp_path / "b.json")
    assert again.tree == case.tree
    assert again.text() == case.record.text()
    values = json.loads((tmp_path / "b.json").read_text())
    assert (values["kind"], values["version"]) == ("beam", 1)
    assert set(values["nodes"]) == {
        "parent", "token", "log_probability", "fate", "rule", "rank", "missed", "draw",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "attention"}, "not a beam record: its kind is 'attention'"),
        ({"version": 2}, "a beam record of version 2; this Seqloom reads version 1"),
        ({"outputs": []}, "a damaged beam record: no output of the search"),
        ({"penalties": [1.0]}, "a damaged beam record: 1 penalties for 3 steps"),
        ({"nodes": {}}, "a damaged beam record: nodes: the field 'parent' is missing"),
        (
            {"stop": {"rule": "x", "step": 1, "attainable": None, "worst": None}},
            "a damaged beam record: no such reason to stop: 'x'",
        ),
        ({"stop": {"rule": "limit"}}, "a damaged beam record: .*step"),
        ({"options": {"beam": 2}}, "a damaged beam record: options: the field 'nbest' is missing"),
    ],
)
def test_what_is_no_such_record_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SeqloomError, match=message):
        BeamRecord.from_dict({**by_hand().as_dict(), **change})


def test_a_node_that_continues_none_is_refused() -> None:
    values = by_hand().as_dict()
    values["nodes"]["parent"][2] = 7
    with pytest.raises(SeqloomError, match="damaged beam record: node 2 continues node 7"):
        BeamRecord.from_dict(values)


def test_pictures_of_each_kind(tmp_path: Path) -> None:
    record = by_hand([4, 6], Asked(8, greedy=True, sample=True))
    for suffix, magic in ((".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")):
        record.save(tmp_path / f"b{suffix}")
        assert (tmp_path / f"b{suffix}").read_bytes().startswith(magic)
    drawn = draw(record.tree)
    texts = {text.get_text() for text in drawn.axes[0].texts}
    assert {"▁<b>", "▁D", "-1.02, beam 1", "-1.71, greedy, forced"} <= texts
    told = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert told[:2] == ["kept", "finished"] and "greedy search" in told


def test_rows_of_a_picture_are_shared_by_no_two_nodes(case: Case) -> None:
    tree = case.tree
    rows = rows_of(tree, range(len(tree.nodes)))
    assert rows.keys() == set(range(len(tree.nodes)))
    assert len({(tree.depths[n], row) for n, row in rows.items()}) == len(rows)
    assert all(rows[number] == 0 for number in tree.path(tree.winner.node))
    assert all(row >= rows[max(tree.nodes[n].parent, 0)] for n, row in rows.items())


def test_a_large_picture_says_what_it_leaves_out(tmp_path: Path) -> None:
    gpt = LanguageModel.load(tiny_gpt(tmp_path, context=60), device="cpu")
    never_ends(gpt.writer())
    wide = options(beam=30, nbest=1, max_tokens=STEPS + 8)
    figure = draw(beam_of_continuation(gpt, "a cat", wide, Asked(1)).tree)
    title = figure.axes[0].get_title(loc="left")
    assert "only what lies on outputs is drawn" in title
    assert f"the first {STEPS} of {STEPS + 8} steps are drawn" in title
    many = beam_of_continuation(gpt, "a cat", options(beam=30, nbest=30), Asked(1)).tree
    assert "rows more have no room" in draw(many).axes[0].get_title(loc="left")
    width, height = draw(many).get_size_inches()
    assert width < 2 * STEPS and height < ROWS


def test_a_notebook_shows_the_page_in_a_frame() -> None:
    assert by_hand()._repr_html_().startswith('<iframe title="beam record"')


def test_a_model_that_is_asked_for_too_much() -> None:
    translator = sharp_translator(tiny.RNN)
    with pytest.raises(DecodingError, match="an empty text has no translation; name a sentence"):
        beam_of_translation(translator, " ", options())
    long = " ".join("a" * 300)
    with pytest.raises(DecodingError, match="the model was trained on"):
        beam_of_translation(translator, long, options())

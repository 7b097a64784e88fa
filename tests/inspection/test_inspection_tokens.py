"""Records of how a text was cut."""

from __future__ import annotations

from typing import Any

import pytest

from seqloom.errors import SeqloomError
from seqloom.inspection.tokens import TokensRecord
from seqloom.text.tokenizer import Tokenizer

TEXTS = ["low lower lowest newer wider", "the lowest <b> 你好"] * 4


def record(kind: str = "bpe") -> TokensRecord:
    tokenizer = Tokenizer.train(TEXTS, kind, 320, exact=False)
    return TokensRecord(tokenizer.explain("lowest <b> $x$ 你好"))


@pytest.mark.parametrize("kind", ["bpe", "byte_bpe", "unigram", "word", "character"])
def test_round_trip_and_files(tmp_path: Any, kind: str) -> None:
    before = record(kind)
    for suffix in ("json", "html", "png", "svg"):
        before.save(tmp_path / f"a.{suffix}")
    after = TokensRecord.load(tmp_path / "a.json")
    assert after.explanation == before.explanation
    assert after.as_dict()["kind"] == "tokens"
    assert (tmp_path / "a.png").stat().st_size > 5000
    assert "<b>" not in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_damaged() -> None:
    with pytest.raises(SeqloomError, match="a damaged token record"):
        TokensRecord.from_dict({"kind": "tokens", "version": 1, "words": 3})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_a_browser(open_page: Any, tmp_path: Any, scheme: str) -> None:
    found = record()
    found.save(tmp_path / "a.html")
    opened = open_page(tmp_path / "a.html", scheme)
    page = opened.page
    words = found.explanation.words
    assert page.locator("summary > bdi").all_inner_texts() == [word.word for word in words]
    assert "<b>" in page.inner_text("h1 + p")
    ids = ", ".join(map(str, words[0].ids))
    assert page.inner_text("summary small >> nth=0") == f"ids {ids}"
    rows = page.locator("details >> nth=0").locator("tr")
    assert rows.count() == 1 + len(words[0].steps)
    last = rows.nth(len(words[0].steps)).locator("span").all_inner_texts()
    assert last == list(words[0].pieces)
    opened.check()


def test_steps_of_a_word_close_and_open(open_page: Any, tmp_path: Any) -> None:
    record().save(tmp_path / "a.html")
    opened = open_page(tmp_path / "a.html")
    page = opened.page
    tables = page.locator("details table")
    page.focus("summary >> nth=0")
    page.keyboard.press("Enter")
    assert not tables.nth(0).is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert not tables.nth(1).is_visible()
    page.hover("summary >> nth=0")
    assert page.evaluate("getComputedStyle(document.querySelector('summary')).cursor") == "pointer"
    page.click("summary >> nth=0")
    assert tables.nth(0).is_visible()
    assert page.locator("summary").nth(1).locator("span").nth(0).is_visible()  # closed, but named
    opened.check()

from __future__ import annotations

import shutil
from pathlib import Path

import matplotlib
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from seqloom.inspection import fonts
from seqloom.inspection.fonts import DEFAULT, families_for, spell_out


def make_font(path: Path, family: str, characters: str) -> Path:
    """A font in which every character is a filled square."""
    pen = TTGlyphPen(None)
    for number, point in enumerate([(0, 0), (0, 500), (500, 500), (500, 0)]):
        (pen.lineTo if number else pen.moveTo)(point)
    pen.closePath()
    square = pen.glyph()
    names = [".notdef", *(f"uni{ord(c):04X}" for c in characters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(c): f"uni{ord(c):04X}" for c in characters})
    builder.setupGlyf(dict.fromkeys(names, square))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWeightClass=400)
    builder.setupPost()
    path.parent.mkdir(parents=True, exist_ok=True)
    builder.save(path)
    return path


@pytest.fixture
def bare(monkeypatch):
    """A machine with the fonts of matplotlib only, whatever is installed on this one."""
    own = Path(matplotlib.get_data_path())
    manager = font_manager.fontManager
    entries = [entry for entry in manager.ttflist if own in Path(entry.fname).parents]
    monkeypatch.setattr(manager, "ttflist", entries)
    monkeypatch.setattr(fonts, "_FONT_PACKAGE", "no_such_package_of_fonts")


def test_cyrillic_and_accents_need_nothing_else(bare):
    assert families_for(["Привет", "żółć", "Ärger", "␣ ▁Ġ"]) == ([DEFAULT], set())


def test_what_no_font_has_is_reported(bare):
    """Matplotlib's Last Resort font claims every character and must not be believed."""
    assert families_for(["1999年", "五月"]) == ([DEFAULT], set("年五月"))


def test_spelled_out():
    assert spell_out("1999年 a", {"年"}) == "1999U+5E74 a"
    assert spell_out("𝒳", {"𝒳"}) == "U+1D4B3"


def test_fonts_are_chosen_by_what_they_contain(bare, tmp_path):
    manager = font_manager.fontManager
    manager.addfont(make_font(tmp_path / "a.ttf", "Noto Sans CJK Liar", "abc"))
    manager.addfont(make_font(tmp_path / "b.ttf", "Aaa Plain", "年月"))
    manager.addfont(make_font(tmp_path / "c.ttf", "Bbb Plain", "月日"))
    assert families_for(["年月日"]) == ([DEFAULT, "Aaa Plain", "Bbb Plain"], set())
    assert families_for(["日", "火"]) == ([DEFAULT, "Bbb Plain"], {"火"})


def test_likely_fonts_are_tried_first(bare, tmp_path):
    manager = font_manager.fontManager
    manager.addfont(make_font(tmp_path / "a.ttf", "Aaa Plain", "年"))
    manager.addfont(make_font(tmp_path / "b.ttf", "Noto Sans CJK XX", "年"))
    assert families_for(["年"])[0] == [DEFAULT, "Noto Sans CJK XX"]


def test_a_font_that_has_gone_or_is_damaged_is_passed_over(bare, tmp_path):
    manager = font_manager.fontManager
    gone = make_font(tmp_path / "gone.ttf", "Aaa Gone", "年")
    damaged = make_font(tmp_path / "damaged.ttf", "Aab Damaged", "年")
    manager.addfont(gone)
    manager.addfont(damaged)
    manager.addfont(make_font(tmp_path / "c.ttf", "Bbb Plain", "年"))
    gone.unlink()
    damaged.write_bytes(b"not a font")
    assert families_for(["年"])[0] == [DEFAULT, "Bbb Plain"]


def test_a_package_brings_its_font_without_being_imported(bare, tmp_path, monkeypatch):
    package = tmp_path / "fonts_of_a_test"
    make_font(package / "fonts" / "Carried.ttf", "Carried By Package", "年")
    (package / "__init__.py").write_text("raise AssertionError('must not be imported')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(fonts, "_FONT_PACKAGE", "fonts_of_a_test")
    family = list(matplotlib.rcParams["font.family"])
    assert families_for(["年"]) == ([DEFAULT, "Carried By Package"], set())
    assert matplotlib.rcParams["font.family"] == family
    shutil.rmtree(package)


def test_the_package_is_not_looked_for_without_need(bare, monkeypatch):
    def refuse(name: str) -> None:
        raise AssertionError("not needed for these characters")

    monkeypatch.setattr(fonts, "_register_fonts_of", refuse)
    assert families_for(["Tuesday", "вторник"]) == ([DEFAULT], set())

"""Scripts: which ones a language is written in, and how many letters of a text are in each.

Names of scripts are those of Unicode (``Latin``, ``Han``), as Arrow's regular expressions know
them. Letters that many scripts share (Unicode's Common and Inherited, such as the Japanese
prolonged sound mark) belong to none.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seqloom.corpus.codepoints import (
    NUM_CODE_POINTS,
    code_points,
    every_character,
    points_of,
    select,
    sums,
)
from seqloom.corpus.languages import normal

OTHER = "Other"
"""Stands for all scripts that are not in the table."""

# Code of a script (ISO 15924), the scripts of Unicode that it means, and languages written in it
# (ISO 639-1, and 639-3 where there is no other or where files often have it). A language that is
# written in two scripts stands in both rows.
_TABLE = (
    (
        "latn", "Latin",
        "af afr ak an ast ay az aze bar bi bm br bs bos ca cat ceb co cs ces cy cym da dan de deu "
        "dsb ee en eng eo epo es spa et est eu eus ff fi fin fil fj fo fr fra fur fy ga gle gd gl "
        "glg gn gv ha hau haw hil hmn hr hrv hsb ht hu hun ia id ind ig ilo io is isl it ita jv "
        "kab kg ki kl kmr ku la lat lb lg li lij lmo ln lt lit lv lav mg mi ms msa mt mlt na nah "
        "nap nb nob nds nl nld nn nno no nor nr nso nv ny oc om pag pam pap pl pol pms pt por qu "
        "rm rn ro ron rw sc scn se sg sh sk slk sl slv sm sma sn so som sq sqi sr srp ss st su sv "
        "swe sw swa swh szl tet tk tl to tn tpi tr tur ts tum tw ty uz uzb ve vec vi vie vo wa "
        "war wo xh xho yo yor za zu zul",
    ),
    (
        "cyrl", "Cyrillic",
        "ab av ba be bel bg bul bxr ce cv kbd kk kaz kv ky kir mk mkd mn mon mhr myv os ru rus "
        "rue sah sh sr srp tg tgk tt tat tyv udm uk ukr uz uzb xal",
    ),
    ("grek", "Greek", "el ell grc pnt"),
    ("armn", "Armenian", "hy hye hyw"),
    ("geor", "Georgian", "ka kat xmf"),
    ("hebr", "Hebrew", "he heb iw yi yid lad"),
    (
        "arab", "Arabic",
        "ar ara arb ary arz apc azb bal ckb fa fas pes prs glk ks ku lrc mzn pnb ps pus pbt sd "
        "snd skr ug uig ur urd",
    ),
    ("syrc", "Syriac", "arc syr"),
    ("thaa", "Thaana", "dv div"),
    ("ethi", "Ethiopic", "am amh ti tir gez tig"),
    ("tfng", "Tifinagh", "ber tzm zgh"),
    ("nkoo", "Nko", "nqo"),
    ("adlm", "Adlam", "fuf"),
    ("deva", "Devanagari", "hi hin awa bho doi gom hne kok mag mai mr mar ne nep new npi sa san"),
    ("beng", "Bengali", "as asm bn ben bpy mni"),
    ("guru", "Gurmukhi", "pa pan"),
    ("gujr", "Gujarati", "gu guj"),
    ("orya", "Oriya", "or ori ory"),
    ("taml", "Tamil", "ta tam"),
    ("telu", "Telugu", "te tel"),
    ("knda", "Kannada", "kn kan tcy"),
    ("mlym", "Malayalam", "ml mal"),
    ("sinh", "Sinhala", "si sin"),
    ("olck", "Ol_Chiki", "sat"),
    ("mtei", "Meetei_Mayek", "mni"),
    ("thai", "Thai", "th tha"),
    ("laoo", "Lao", "lo lao"),
    ("mymr", "Myanmar", "my mya mnw shn"),
    ("khmr", "Khmer", "km khm"),
    ("tibt", "Tibetan", "bo bod dz dzo"),
    ("mong", "Mongolian", "mvf"),
    ("java", "Javanese", ""),
    ("hani", "Han", "zh zho cmn gan hak lzh nan wuu yue"),
    ("hans", "Han", ""),
    ("hant", "Han", ""),
    ("bopo", "Bopomofo", ""),
    ("jpan", "Han Hiragana Katakana", "ja jpn"),
    ("hira", "Hiragana", ""),
    ("kana", "Katakana", ""),
    ("kore", "Hangul Han", "ko kor"),
    ("hang", "Hangul", ""),
    ("yiii", "Yi", "ii"),
    ("cher", "Cherokee", "chr"),
    ("cans", "Canadian_Aboriginal", "cr iu oj"),
)  # fmt: skip


def script_counts(texts: pa.Array[Any]) -> dict[str, NDArray[np.int64]]:
    """How many letters of each text are in each script.

    Args:
        texts: strings without nulls.

    Returns:
        For each script that occurs, one count a text [N]. :data:`OTHER` is one of the keys where
        letters of other scripts occur.
    """
    points, starts = code_points(texts)
    found = _script_of_letters()[points]
    present = np.flatnonzero(np.bincount(found, minlength=1)[1:]) + 1
    return {_scripts()[number - 1]: sums(found == number, starts) for number in present}


def scripts_of(language: str) -> tuple[str, ...]:
    """The scripts that a language is written in, none if it is unknown.

    A code may carry its script, which then counts alone: ``sr-Latn``, ``zh_Hant_TW``.
    """
    primary, *rest = normal(language).split("-")
    named = {code: scripts for code, scripts, _ in _TABLE}
    for part in rest:
        if part in named:
            return tuple(named[part].split())
    rows = [scripts.split() for _, scripts, languages in _TABLE if primary in languages.split()]
    return tuple(script for row in rows for script in row)


@lru_cache(maxsize=1)
def _scripts() -> tuple[str, ...]:
    """All scripts of the table; the number of a script is its place, from 1."""
    return (*dict.fromkeys(script for _, row, _ in _TABLE for script in row.split()), OTHER)


@lru_cache(maxsize=1)
def _script_of_letters() -> NDArray[np.uint8]:
    """The number of the script of each code point; 0: no letter, or a letter of no script."""
    letters = select(every_character(), r"\p{L}")
    table = np.zeros(NUM_CODE_POINTS, np.uint8)
    table[points_of(letters)] = len(_scripts())
    table[points_of(select(letters, r"\p{Common}\p{Inherited}"))] = 0
    for number, script in enumerate(_scripts()[:-1], start=1):
        table[points_of(select(letters, rf"\p{{{script}}}"))] = number
    return table

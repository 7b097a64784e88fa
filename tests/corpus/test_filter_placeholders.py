import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.corpus import Corpus, PlaceholderFilter
from seqloom.corpus.filters.placeholders import difference, kind_of, placeholders

FOUND = [
    ("printf", "%s of %d, %5.2f and %-10s", ["%s", "%d", "%5.2f", "%-10s"]),
    ("printf", "%1$s by %2$s", ["%1$s", "%2$s"]),
    ("printf", "%(name)s has %(count)03d", ["%(name)s", "%(count)03d"]),
    ("printf", "%lu bytes, %zu, %hhx, %@, %.*s", ["%lu", "%zu", "%hhx", "%@", "%.*s"]),
    ("printf", "100%% of %d%%", ["%%", "%d", "%%"]),
    ("printf", "%dx%d, %sfoo", ["%d", "%d", "%s"]),
    ("printf", "offset %<PRIuMAX> and %3$<PRIuMAX>", ["%<PRIuMAX>", "%3$<PRIuMAX>"]),
    ("brace", "{} {0} {name} {a.b[0]}", ["{}", "{0}", "{name}", "{a.b[0]}"]),
    ("brace", "{0:.2f} {name!r:>10} {:d}", ["{0:.2f}", "{name!r:>10}", "{:d}"]),
    ("brace", "{{name}} {{ name }} %{name}", ["{{name}}", "{{name}}", "%{name}"]),
    (
        "brace",
        "{count, plural, one {# file in {folder}} other {# files in {folder}}}",
        ["{count,plural,"],
    ),
    ("variable", "$HOME/x, ${USER}, $name.", ["$HOME", "${USER}", "$name"]),
    ("variable", "%USERPROFILE% and %TMP%", ["%USERPROFILE%", "%TMP%"]),
    ("tag", "<b>bold</b><br/> and <br>", ["<b>", "</b>", "<br>", "<br>"]),
    ("tag", '<a href="x" title="Home page">home</a>', ["<a>", "</a>"]),
    ("tag", '<x id="1"/> and <g>text</g>', ["<x>", "<g>", "</g>"]),
    ("entity", "a &amp; b &lt; &brandName;", ["&amp;", "&lt;", "&brandName;"]),
    ("code", "use ``len(x)`` or :func:`len`", ["``len(x)``", ":func:`len`"]),
    ("code", "use :c:func:`x`", [":c:func:`x`"]),
    ("code", "see :ref:`the index <genindex>`", [":ref:`genindex`"]),
    ("url", "(see https://example.org/a?b=c#d).", ["https://example.org/a?b=c#d"]),
    (
        "url",
        "见https://example.org/。www.example.org！",
        ["https://example.org/", "www.example.org"],
    ),
    ("mail", "an me.too@example.co.uk.", ["me.too@example.co.uk"]),
]


@pytest.mark.parametrize(("kind", "text", "found"), FOUND)
def test_placeholders_and_their_kinds(kind, text, found):
    assert placeholders(text) == Counter(found)
    assert {kind_of(placeholder) for placeholder in found} == {kind}
    rows = next(Corpus.of([(text, ""), ("", text), (text, text)]).batches())
    assert PlaceholderFilter().score(rows).to_pylist() == [len(found), len(found), 0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "100 % sure, 5% of them, 100%ig, 50%-os, 3 %im Mai",
        "50 % de, 20 % off, 7 % in a year",
        "%-formatting",
        "costs $5, US$ 7, $US970, A$AP",
        "git add [<options>] [--] <pathspec>...",
        "a < b and c > d, x <y, <3",
        "caf&eacute; &#233; &nbsp; AT&T; R&D",
        "f(x) = { x | x > 0 } or {see below}",
        "the `len` function, ``unclosed",
        "at 5:30 @home user@localhost",
        ":dfn:`comprehension` and :guilabel:`Open`",
        "http:// and www.",
    ],
)
def test_prose_has_no_placeholders(text):
    assert placeholders(text) == Counter()


@pytest.mark.parametrize(
    ("source", "target", "found"),
    [
        ("%s of %d", "%d von %s", {}),
        ("%s of %d", "%2$d von %1$s", {}),
        ("%1$s and %2$s", "%1$s und %1$s", {"%2$s": 1, "%1$s": 1}),
        ("%.*s", "%2$.*1$s", {}),
        ("Scene %s", "Сцена %с", {"%s": 1}),
        ("{name}", "{имя}", {"{name}": 1}),
        ("<b>x</b>", "x", {"<b>": 1, "</b>": 1}),
        ('<a href="/en">x</a>', '<a href="/de">x</a>', {}),
        ("<file>", "<Datei>", {}),
        ("say %s %s", "sag %s", {"%s": 1}),
        (":ref:`text <place>`", ":ref:`Text <place>`", {}),
        ("50% of {n}", "50 % von {n}", {}),
        ("$a", "$b", {"$a": 1, "$b": 1}),
    ],
)
def test_placeholders_on_one_side_only(source, target, found):
    assert difference(placeholders(source), placeholders(target)) == found
    assert difference(placeholders(target), placeholders(source)) == found


PIECES = st.sampled_from([text for _, text, _ in FOUND] + list("%{}<>&;$@`:/ abs1w\\"))
TEXTS = st.lists(PIECES, max_size=6).map("".join) | st.text(max_size=12)


@settings(deadline=None)
@given(TEXTS)
def test_what_is_found_has_a_kind(text):
    for placeholder in placeholders(text):
        assert kind_of(placeholder) in {kind for kind, *_ in FOUND}


@settings(deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1))
def test_scores_equal_pair_by_pair(rows):
    scores = PlaceholderFilter().score(next(Corpus.of(rows).batches())).to_pylist()
    assert scores == [difference(*map(placeholders, row)).total() for row in rows]


def test_threshold_of_the_difference():
    rows = [("%s", "%s"), ("%s", ""), ("%s", "%d"), ("plain", "schlicht")]
    batch = next(Corpus.of(rows).batches())
    scores = PlaceholderFilter().score(batch)
    assert scores.to_pylist() == [0, 1, 2, 0]
    assert PlaceholderFilter().accept(scores).to_pylist() == [True, False, False, True]
    assert PlaceholderFilter(1).accept(scores).to_pylist() == [True, True, False, True]


@pytest.mark.parametrize(
    "piece",
    [
        "a.",
        "%",
        "{",
        "<a ",
        "<a b=",
        "``",
        "`` ",
        ":a",
        "$",
        "${",
        "&a",
        "a@",
        "a@b.",
        "www.",
        "{a,",
    ],
)
def test_time_grows_with_the_text_and_not_with_its_square(piece):
    def seconds(length):
        start = time.process_time()
        placeholders(piece * length)
        return time.process_time() - start

    short, long = (min(seconds(length) for _ in range(3)) for length in (10_000, 80_000))
    assert long < 0.1 + 32 * short

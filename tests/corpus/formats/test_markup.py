from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.corpus import Pair
from seqloom.corpus.formats.markup import (
    INVALID,
    Marked,
    Tag,
    escape,
    inner_xml,
    marked,
    pair_of,
    plain,
    quote,
    start_tags,
)
from seqloom.corpus.formats.xml_writing import TMX_TAGS, XLIFF_TAGS, segment_xml, well_formed

CODES = ("bpt", "ept", "it", "ph", "ut", "x", "bx", "ex", "sc", "ec", "sm", "em")
AROUND = ("g", "mrk", "hi", "pc", "other")
XML_TEXT = st.text(st.characters(exclude_categories=("Cs",))).map(
    lambda text: INVALID.sub("", text)
)


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        ("", ""),
        (" plain\ttext \n ", " plain\ttext \n "),
        ("a &lt;b&gt; &amp;amp; &quot;&apos; &#233;&#x1F600;", "a <b> &amp; \"' é😀"),
        ("one\r\ntwo\rthree&#13;four", "one\ntwo\nthree\rfour"),
        ("a <![CDATA[<b> & ]] &lt;\r\n]]>c", "a <b> & ]] &lt;\nc"),
        ("a<!-- not <b>text</b> -->b<?pi x?>c", "abc"),
        # TMX
        ('The <bpt i="1" x="1">&lt;b></bpt>big<ept i="1">&lt;/b></ept> cat', "The big cat"),
        ('<it pos="begin">&lt;I></it>Click <hi type="verb">start</hi>', "Click start"),
        ('see <ph>&lt;IMG ALT="<sub>a <bpt i="1">x</bpt> b</sub>"></ph>.', "see ."),
        ("old <ut>{\\b </ut>code", "old code"),
        # XLIFF 1.2
        ('<g id="1">a <g id="2">b</g></g> c<x id="3"/><bx id="4"/>d<ex id="4"/>', "a b cd"),
        ('<mrk mtype="seg" mid="0">One.</mrk> <mrk mtype="seg" mid="1">Two.</mrk>', "One. Two."),
        ('<x id="1"></x>after', "after"),
        ('<ph id="1">outer <ph id="2">inner</ph> still code</ph>text', "text"),
        # XLIFF 2
        ('<pc id="1">a</pc><ph id="2"/><sc id="3"/>b<ec startRef="3"/>', "ab"),
        ('a<cp hex="001B"/>b<cp hex="1F600"></cp>', "a\x1bb😀"),
        ("<xlf:g id='1'>prefixed</xlf:g><xlf:x id='2'/>", "prefixed"),
        ("<unknown a='>'>counts</unknown>", "counts"),
    ],
)
def test_text_without_tags(xml, text):
    assert marked(xml).text == text


def test_tags_know_their_place_kind_and_partner():
    xml = 'A <g id="1">b<x id="2"/></g> <bpt id="3">[</bpt>c<ept id="3">]</ept><bx id="9"/>'
    assert marked(xml) == Marked(
        "A b c",
        (
            Tag(2, '<g id="1">', "open", 0),
            Tag(3, '<x id="2"/>', "alone", None),
            Tag(3, "</g>", "close", 0),
            Tag(4, '<bpt id="3">[</bpt>', "open", 3),
            Tag(5, '<ept id="3">]</ept>', "close", 3),
            Tag(5, '<bx id="9"/>', "open", None),
        ),
    )


@pytest.mark.parametrize(
    ("xml", "joined"),
    [
        ('<bpt i="1"/><bpt i="2"/><ept i="1"/><ept i="2"/>', [0, 1, 0, 1]),
        ('<bpt id="7" rid="1"/><ept id="8" rid="1"/>', [0, 0]),
        ('<bx id="1"/><bpt id="1"/><ept id="1"/><ex id="1"/>', [0, 1, 1, 0]),
        ('<sc id="1"/><sm id="1"/><ec startRef="1"/><em startRef="1"/>', [0, 1, 0, 1]),
        ('<ept i="1"/><bpt i="1"/>', [None, None]),
        ('<it pos="begin"/><it pos="end"/><ut/>', [None] * 3),
        ("<g><g></g></g>", [0, 1, 1, 0]),
        ('<g id="1"/>', [None]),
        ('<sc id="1" isolated="yes"/>', [None]),
    ],
)
def test_partners(xml, joined):
    assert [tag.pair for tag in marked(xml).tags] == joined


@pytest.mark.parametrize("digits", ["", "ZZ", "D800", "110000", "1234567", "-1"])
def test_cp_that_is_no_character_stays_a_tag(digits):
    xml = f'a<cp hex="{digits}"/>b'
    assert marked(xml) == Marked("ab", (Tag(1, f'<cp hex="{digits}"/>', "alone", None),))


@st.composite
def inner(draw, depth=3):
    """Inner XML without comments, CDATA and line ends that XML changes."""
    parts = [escape(draw(XML_TEXT))]
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(CODES + AROUND))
        number = draw(st.sampled_from(["", ' id="1"', " id='>'", ' i="2"']))
        inside = draw(inner(depth - 1)) if depth else escape(draw(XML_TEXT))
        parts += [f"<{name}{number}>{inside}</{name}>", escape(draw(XML_TEXT))]
    return "".join(parts)


def visible(node):
    text = "" if node.tag in CODES else (node.text or "") + "".join(map(visible, node))
    return text + (node.tail or "")


@given(inner())
def test_text_is_what_another_parser_sees(xml):
    node = ElementTree.fromstring(f"<seg>{xml}</seg>")
    assert marked(xml).text == visible(node)


@given(inner())
def test_taken_apart_and_put_together(xml):
    apart = marked(xml)
    assert inner_xml(apart) == xml
    assert marked(inner_xml(apart)) == apart
    for tag in apart.tags:
        partners = [other.kind for other in apart.tags if tag.pair is not None]
        assert tag.pair is None or {"open", "close"} <= set(partners)


@given(XML_TEXT)
def test_text_survives_elements_and_attributes(text):
    assert plain(escape(text)) == text
    node = ElementTree.fromstring(f"<a b={quote(text)}>{escape(text)}</a>")
    assert (node.attrib["b"], node.text or "") == (text, text)


def test_the_order_of_tags_at_one_place_is_kept():
    tags = (
        Tag(1, "<b/>", "alone", None),
        Tag(0, "<a/>", "alone", None),
        Tag(1, "<c/>", "alone", None),
    )
    assert inner_xml(Marked("x<y", tags)) == "<a/>x<b/><c/>&lt;y"


def test_pairs_keep_markup_only_where_there_is_some():
    pair = pair_of('a<x id="1"/>', "b &lt;", {"id": "7", "note": "", "context": None})
    assert pair == Pair("a", "b <", {"id": "7", "source_markup": 'a<x id="1"/>'})
    assert pair_of("a", "b", {}) == Pair("a", "b")


def test_start_tags_are_found_inside_codes_too():
    xml = '<ph x="1">&lt;a <sub type="t">b</sub></ph><!-- <no/> --><hi/>'
    assert list(start_tags(xml)) == [("ph", {"x": "1"}), ("sub", {"type": "t"}), ("hi", {})]


@pytest.mark.parametrize(
    ("markup", "tags", "is_kept"),
    [
        ('a <bpt i="1">&lt;b></bpt>b', TMX_TAGS, True),
        ('a <hi type="x">b</hi>', TMX_TAGS, True),
        ('a <bpt id="1">&lt;b></bpt>b', TMX_TAGS, False),
        ('a <ph id="1"/>b', TMX_TAGS, False),
        ('a <g id="1">b</g>', TMX_TAGS, False),
        ('a <g id="1">b</g>', XLIFF_TAGS, True),
        ('a <mrk mtype="seg" mid="1">b</mrk>', XLIFF_TAGS, True),
        ('a <bpt i="1">&lt;b></bpt>b', XLIFF_TAGS, False),
        ('a <pc id="1">b</pc>', XLIFF_TAGS, False),
        ('a <ph id="1" dataRef="d"/>b', XLIFF_TAGS, False),
        ('a <g id="1" my:own="1">b</g>', XLIFF_TAGS, False),
        ('a <g id="1">b', XLIFF_TAGS, False),
        ('a <g id="1">b</g></x><x>', XLIFF_TAGS, False),
        ('a <g id="1">B</g>', XLIFF_TAGS, False),
        ('a <g id="1">b\x01</g>', XLIFF_TAGS, False),
        ('a <g id="1">b\ud800</g>', XLIFF_TAGS, False),
    ],
)
def test_writers_take_markup_that_is_their_own_and_still_true(markup, tags, is_kept):
    assert segment_xml("a b", markup, tags) == (markup if is_kept else "a b")


def test_well_formed():
    assert well_formed("a<b>c</b>&amp;<x/>")
    for xml in ("<b>", "</b>", "<a></b>", "&foo;", "a & b", "</x><x>", "<!DOCTYPE a>", "\x01"):
        assert not well_formed(xml), xml

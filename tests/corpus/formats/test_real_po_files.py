"""Real PO, POT and MO files against what two other programs make of them.

``l10n_po.tsv`` names each file of the folder: ``pairs N``, or ``refused: `` and a part of the
message; the programs that find the same pairs; and why.
"""

import csv
import os
import re
from pathlib import Path

import pytest

from seqloom.corpus import Corpus
from seqloom.corpus.formats.markup import Marked
from seqloom.corpus.formats.mo import read_mo
from seqloom.corpus.formats.po import read_po
from seqloom.corpus.formats.po_fill import blanks_po, fill_po
from seqloom.corpus.formats.reading import Reading
from seqloom.errors import CorpusError

pytestmark = pytest.mark.skipif(
    "SEQLOOM_DATA" not in os.environ, reason="SEQLOOM_DATA names no folder of real files"
)

FOLDER = Path(os.environ.get("SEQLOOM_DATA", ".")) / "l10n-files"

with Path(__file__).with_name("l10n_po.tsv").open(encoding="utf-8", newline="") as file:
    TABLE = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))

READABLE = [row for row in TABLE if row["expected"].startswith("pairs ")]
DOCUMENTS = [row for row in READABLE if not row["path"].endswith(".mo")]

BLOCK = re.compile(  # msgstr with its texts, but not that of an obsolete entry
    rb"^[ \t]*msgstr(\[\d\])?[ \t]*"
    rb'(?P<texts>"[^\r\n]*"[ \t]*(\r*\n[ \t]*"[^\r\n]*"[ \t]*)*)',
    re.MULTILINE,
)


def each(rows):
    return pytest.mark.parametrize("row", rows, ids=[row["path"] for row in rows])


def ours(path):
    read = read_mo if path.suffix == ".mo" else read_po
    pairs = Corpus(lambda: read(path, Reading()), name=path.name).pairs()
    return [(pair.source, pair.target, (pair.metadata or {}).get("context")) for pair in pairs]


def by_the_rules(context, source, plural, targets):
    """Pairs of one entry of another program."""
    for form, target in enumerate(targets):
        if target:
            is_plural = plural is not None and (form > 0 or len(targets) == 1)
            yield (plural if is_plural else source), target, context or None


def toolkit(path):
    module = pytest.importorskip(f"translate.storage.{'mo' if path.suffix == '.mo' else 'po'}")
    store = module.mofile() if path.suffix == ".mo" else module.pofile()
    store.parse(path.read_bytes())
    for unit in store.units:
        if unit.isheader() or unit.isobsolete() or (path.suffix != ".mo" and unit.isfuzzy()):
            continue
        sources, targets = (
            [str(text) for text in getattr(side, "strings", [side or ""])]
            for side in (unit.source, unit.target)
        )
        plural = sources[1] if len(sources) > 1 else None
        yield from by_the_rules(unit.getcontext(), sources[0], plural, targets)


def polib(path):
    library = pytest.importorskip("polib")
    is_compiled = path.suffix == ".mo"
    for entry in library.mofile(str(path)) if is_compiled else library.pofile(str(path)):
        if entry.msgid and not entry.obsolete and not getattr(entry, "fuzzy", False):
            forms = entry.msgstr_plural
            targets = [forms[form] for form in sorted(forms)] if forms else [entry.msgstr]
            plural = entry.msgid_plural or None
            yield from by_the_rules(entry.msgctxt, entry.msgid, plural, targets)


ORACLES = {"toolkit": toolkit, "polib": polib}


def test_the_table_names_every_file():
    found = {
        path.relative_to(FOLDER).as_posix()
        for path in FOLDER.rglob("*")
        if path.suffix.lower() in (".po", ".pot", ".mo")
    }
    assert [row["path"] for row in TABLE] == sorted(found)
    assert all(row["reason"] and (row["oracles"] or row not in READABLE) for row in TABLE)


@each(READABLE)
def test_a_file_that_is_read(row):
    path = FOLDER / row["path"]
    found = ours(path)
    assert row["expected"] == f"pairs {len(found)}"
    for oracle in row["oracles"].split():
        assert list(ORACLES[oracle](path)) == found, oracle


@each([row for row in TABLE if row not in READABLE])
def test_a_file_that_is_refused(row):
    path = FOLDER / row["path"]
    with pytest.raises(CorpusError) as raised:
        ours(path)
    assert str(raised.value).startswith(str(path))
    assert row["expected"].removeprefix("refused: ") in str(raised.value)


@each(DOCUMENTS)
def test_translated_in_place(row, tmp_path):
    path, out = FOLDER / row["path"], tmp_path / "out.po"
    blanks = blanks_po(path)
    targets = []
    for number, blank in enumerate(blanks):
        source = blank.source.text
        first, last = ("\n" if at == "\n" else "" for at in (source[:1], source[-1:]))
        targets.append(f'{first}<{number}> "\\\n{source.count("%")}{last}')
    fill_po(path, out, {number: Marked(target) for number, target in enumerate(targets)})
    before, after = path.read_bytes(), out.read_bytes()
    assert BLOCK.sub(b"", before) == BLOCK.sub(b"", after), "only what is behind msgstr differs"
    pairs = ours(path)
    for old, new in zip(BLOCK.finditer(before), BLOCK.finditer(after), strict=True):
        assert old.group() == new.group() or set(old["texts"]) <= set(b'" \t\r\n')
    found = ours(out)
    assert len(found) == len(pairs) + len(blanks)
    assert [target for _, target, _ in found if target in set(targets)] == targets
    for oracle in row["oracles"].split():
        assert list(ORACLES[oracle](out)) == found, oracle
    assert blanks_po(out) == []


# The line feeds of its translations do not follow the source, as gettext demands.
UNEVEN = "omegat/filters/po/file-POFilter-multiple2.po"


@each([row for row in DOCUMENTS if row["path"] != UNEVEN])
def test_emptied_and_filled_with_its_own_translations(row, tmp_path):
    path, empty, out = FOLDER / row["path"], tmp_path / "empty.po", tmp_path / "out.po"

    def emptied(block):
        is_header = b"Content-Type: text" in block["texts"]
        return block[0] if is_header else block[0].replace(block["texts"], b'""')

    empty.write_bytes(BLOCK.sub(emptied, path.read_bytes()))
    pairs = iter(ours(path))
    wanted, translations = next(pairs, None), {}
    for number, blank in enumerate(blanks_po(empty)):
        if wanted is not None and blank.source.text == wanted[0] and blank.id == wanted[2]:
            translations[number] = Marked(wanted[1])
            wanted = next(pairs, None)
    assert wanted is None
    fill_po(empty, out, translations)
    for oracle in row["oracles"].split():
        assert list(ORACLES[oracle](out)) == ours(path), oracle


def test_there_are_blanks_to_fill():
    assert sum(len(blanks_po(FOLDER / row["path"])) for row in DOCUMENTS) > 100

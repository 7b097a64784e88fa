import json

import pytest

from seqloom.corpus import read_corpus
from seqloom.errors import CorpusError


def read(tmp_path, *records, **options):
    path = tmp_path / "pairs.jsonl"
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    path.write_text("\n".join(lines))
    return list(read_corpus(path, **options).pairs())


def test_keys_by_custom_name_and_language(tmp_path):
    assert read(tmp_path, {"source": "a", "target": "b", "metadata": {"id": "1", "n": 2}}) == [
        ("a", "b", {"id": "1"})
    ]
    record = {"de": "eins", "en": "one", "score": 0.5}
    assert read(tmp_path, record, "", columns=("en", "de")) == [("one", "eins", None)]
    languages = {"source_language": "en", "target_language": "de"}
    assert read(tmp_path, record, **languages) == [("one", "eins", None)]


def test_translation_objects(tmp_path):
    record = {"id": 1, "translation": {"en": "one", "de": "eins"}}
    assert read(tmp_path, record) == [("one", "eins", None)]
    languages = {"source_language": "de", "target_language": "en"}
    assert read(tmp_path, record, **languages) == [("eins", "one", None)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "pairs.jsonl, line 2: not JSON"),
        ("[1]", "pairs.jsonl, line 2: expected a JSON object"),
        ('{"source": "a"}', "line 2: no keys 'source' and 'target'; it has source"),
        ('{"source": "a", "target": 5}', "line 2: 'target' holds 5, not text"),
        ('{"source": "a", "target": null}', "line 2: 'target' holds None, not text"),
        ('{"source": "a", "target": "\\ud800"}', "half of a surrogate pair"),
    ],
)
def test_broken_lines(tmp_path, line, message):
    with pytest.raises(CorpusError, match=message):
        read(tmp_path, {"source": "a", "target": "b"}, line)

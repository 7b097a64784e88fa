"""A record as one HTML page that needs nothing else: what all such pages have in common.

A page carries its record, its style and its script. It fetches nothing and says so to the browser
(Content-Security-Policy), which runs that one script and nothing besides: the page of a stranger's
record is safe to open.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
{data}
<script>{script}</script>
</body>
</html>
"""


def page(
    title: str,
    body: str,
    data: Mapping[str, Any],
    *,
    styles: Sequence[str],
    scripts: Sequence[str],
) -> str:
    """The page as HTML.

    Args:
        title: plain text.
        body: HTML; whoever makes it escapes what is not theirs.
        data: id of an element -> what the script finds in it as JSON.
        styles: names of .css files of this folder, the common ones first.
        scripts: likewise of .js files, which run as one.
    """
    style, script = (_files(names) for names in (styles, scripts))
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    elements = [
        f'<script type="application/json" id="{name}">{_json(value)}</script>'
        for name, value in data.items()
    ]
    return _PAGE.format(
        policy=policy,
        title=escape(title),
        style=style,
        body=body,
        data="\n".join(elements),
        script=script,
    )


def framed(html: str, title: str, height: int) -> str:
    """A page in a frame of its own, so that it and a notebook leave each other alone."""
    return (
        f'<iframe title="{escape(title)}" sandbox="allow-scripts" width="100%" height="{height}" '
        f'style="border: 0" srcdoc="{escape(html)}"></iframe>'
    )


def _files(names: Sequence[str]) -> str:
    here = Path(__file__)
    return "".join(here.with_name(name).read_text(encoding="utf-8") for name in names)


def _digest(text: str) -> str:
    """How a policy names the one style or script that may be used."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _json(value: Any) -> str:
    """JSON in ASCII that cannot end the element it stands in."""
    return json.dumps(value).replace("<", "\\u003c")

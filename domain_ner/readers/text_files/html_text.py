"""Extracts the text nodes of an HTML page, so that offsets counted over them (HyperText) are correct.

Text nodes in the order of the page, unchanged white space, a line end for each `<br>`: the units of Label Studio's
`globalOffsets`. There is no layout: adjacent blocks run together if the page has nothing between them.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

NOT_SHOWN = ("script", "style", "template")
PAGE = re.compile(r"\s*<(?:!doctype|[a-z][a-z0-9]*)\b.*>\s*", re.IGNORECASE | re.DOTALL)


class _TextNodes(HTMLParser):
    def __init__(self, *, body_only: bool, shown_only: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.body_only, self.shown_only = body_only, shown_only
        self.n_hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.parts.append("\n")
        elif tag == "body" and self.body_only:
            self.parts.clear()
        elif tag in NOT_SHOWN:
            self.n_hidden += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "head" and self.body_only:
            self.parts.clear()
        elif tag in NOT_SHOWN:
            self.n_hidden = max(0, self.n_hidden - 1)

    def handle_data(self, data: str) -> None:
        if not (self.shown_only and self.n_hidden):
            self.parts.append(data)


def render(html: str, *, body_only: bool = True, shown_only: bool = True) -> str:
    """Join the text nodes of a page.

    body_only: omit the head with its title. shown_only: omit scripts and style sheets.
    """
    nodes = _TextNodes(body_only=body_only, shown_only=shown_only)
    nodes.feed(html.replace("\r\n", "\n").replace("\r", "\n"))
    nodes.close()
    return "".join(nodes.parts)


def renderings(html: str) -> Iterator[str]:
    """Yield the texts that a tool may have counted in, the likeliest first; the last is the source itself."""
    for shown_only in (True, False):
        for body_only in (True, False):
            yield render(html, body_only=body_only, shown_only=shown_only)
    yield html


def looks_like_html(text: str) -> bool:
    """Whether a text is a page or part of one: it begins and ends with a tag, and has an end tag."""
    return "</" in text and PAGE.fullmatch(text) is not None

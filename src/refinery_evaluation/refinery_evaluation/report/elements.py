"""Building blocks of the page; every one escapes the text it is given, so that nothing else has to."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from typing import NewType

Html = NewType("Html", str)
"""Markup that is safe to put on the page. Made only here."""


def text(value: object) -> Html:
    """Escape text."""
    return Html(escape(str(value), quote=True))


def join(parts: Iterable[Html]) -> Html:
    """Put markup one after the other."""
    return Html("\n".join(parts))


def element(tag: str, content: object, css: str = "") -> Html:
    """Wrap text in a tag; the text is escaped.

    Args:
        tag: Name of the tag.
        content: The text.
        css: Class of the element.
    """
    return wrap(tag, text(content), css)


def wrap(tag: str, content: Html, css: str = "") -> Html:
    """Wrap markup in a tag."""
    chosen = f' class="{escape(css, quote=True)}"' if css else ""
    return Html(f"<{tag}{chosen}>{content}</{tag}>")


def paragraphs(sentences: Iterable[str], css: str = "") -> Html:
    """Return sentences as one paragraph."""
    return element("p", " ".join(sentences), css)


def bullets(items: Iterable[str]) -> Html:
    """Return a list."""
    return wrap("ul", join(element("li", item) for item in items))


def section(title: str, *parts: Html) -> Html:
    """Return a section with its heading."""
    return wrap("section", join((element("h2", title), *parts)))


def figure(png: bytes, alt: str, caption: str) -> Html:
    """Return a picture inside the page.

    Args:
        png: The bytes of a PNG file.
        alt: What a person who cannot see it should know.
        caption: How to read it.
    """
    source = f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
    image = Html(f'<img src="{source}" alt="{escape(alt, quote=True)}">')
    return wrap("figure", join((image, element("figcaption", caption))))


def table(header: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]], css: str = "") -> Html:
    """Return a table.

    Args:
        header: Names of the columns.
        rows: Class of the row and its cells; a line break in a cell stays one.
        css: Class of the table.
    """
    head = wrap("tr", join(Html(f'<th scope="col">{text(name)}</th>') for name in header))
    body = [wrap("tr", join(wrap("td", _lines(cell)) for cell in cells), row_css) for row_css, cells in rows]
    content = join((wrap("thead", head), wrap("tbody", join(body))))
    return wrap("div", wrap("table", content, css), "scroll")


def _lines(cell: str) -> Html:
    return Html("<br>".join(text(line) for line in cell.split("\n")))

"""A matplotlib figure as an `<svg>` in a page: text stays text, and the page's style gives the colours."""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.artist import Artist

WIDTH = 340
"""Of every picture, in pixels of a phone."""

# Colours that stand for one of the page's own: light and dark mode differ.
INK, MUTED, GRID, ACCENT = "#0a0001", "#0a0002", "#0a0003", "#0a0004"
SERIES = ("#0b0000", "#0b0001", "#0b0002", "#0b0003", "#0b0004", "#0b0005")
VARIABLES = {INK: "ink", MUTED: "muted", GRID: "grid", ACCENT: "accent"} | {
    color: f"series-{place}" for place, color in enumerate(SERIES)
}

mpl.rc("font", size=11)
mpl.rc("text", parse_math=False)  # a dollar is a dollar
mpl.rc("svg", fonttype="none")

_NEEDLESS = {"defs", "metadata"}
_NEEDLESS_ATTRIBUTES = ("id", "clip-path", "version", "width", "height")
_NUMBER = re.compile(r"-?\d+\.\d+")


class Picture:
    """One picture, with a tooltip for each thing in it that has something to tell."""

    def __init__(self, height: int, *, framed: bool = True) -> None:
        size = (WIDTH / 72, height / 72)
        self._figure = Figure(size, dpi=72, layout="constrained" if framed else None, facecolor="none")
        self.axes = self._figure.add_subplot(facecolor="none")
        if not framed:
            self.axes.set_position((0, 0, 1, 1))
        self._tips: dict[str, str] = {}

    def explain(self, artist: Artist, text: str) -> None:
        """Show the text where the pointer rests on the artist."""
        name = f"tip-{len(self._tips)}"
        artist.set_gid(name)
        self._tips[name] = text

    def svg(self, title: str) -> str:
        """Return the picture, which is read out by its title."""
        buffer = io.StringIO()
        with warnings.catch_warnings():
            # The browser draws the texts, and has more letters than matplotlib's font.
            warnings.filterwarnings("ignore", message="Glyph .* missing")
            unsaid = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            self._figure.savefig(buffer, format="svg", metadata=unsaid)
        root = ET.fromstring(buffer.getvalue())  # noqa: S314 - just written
        self._tidy(root)
        root.attrib |= {"role": "img", "aria-label": title}
        return ET.tostring(root, encoding="unicode")

    def _tidy(self, node: ET.Element) -> None:
        """Take out what a page has no use for, and put in what a picture alone cannot have."""
        node.tag = node.tag.partition("}")[2]
        node.tail = None
        if tip := self._tips.get(node.get("id", "")):
            node.insert(0, titled(tip))
        for name in _NEEDLESS_ATTRIBUTES:
            node.attrib.pop(name, None)
        for name in ("d", "x", "y"):
            if name in node.attrib:
                node.set(name, " ".join(_NUMBER.sub(rounded, node.attrib[name]).split()))
        if "rotate(-0 " in node.get("transform", ""):
            del node.attrib["transform"]
        if "style" in node.attrib:
            node.set("style", styled(node.attrib["style"]))
        for child in list(node):
            if child.tag.partition("}")[2] in _NEEDLESS:
                node.remove(child)
            elif child.tag != "title":
                self._tidy(child)


def titled(text: str) -> ET.Element:
    """Return the element that browsers show as a tooltip."""
    element = ET.Element("title")
    element.text = text
    return element


def rounded(number: re.Match[str]) -> str:
    """Return a coordinate with no more digits than can be seen."""
    return f"{float(number[0]):.1f}".removesuffix(".0")


def styled(style: str) -> str:
    """Return a style in the page's font and colours."""
    style = re.sub(r"font-family: [^;]*;? ?", "", style)
    return re.sub(r"#0[ab]000\d", lambda found: f"var(--{VARIABLES[found[0]]})", style)

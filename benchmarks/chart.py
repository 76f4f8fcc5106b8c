"""A bar chart as SVG, in colours that suit a light and a dark page."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

WIDTH = 820
_LABEL = 310
"""Where bars begin; the labels end before it."""
_LONGEST = WIDTH - _LABEL - 70
_BAR = 18
_STEP = 25
_TITLE = 34

_STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #3d444d }
.title { font-weight: 600; font-size: 14px; fill: #1f2328 }
.own { font-weight: 600; fill: #1f2328 }
.bar { fill: #b4bcc6 }
.bar.own { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #b7bdc8 }
  .title, text.own { fill: #f0f6fc }
  .bar { fill: #565d67 }
  .bar.own { fill: #4493f8 }
}
"""


@dataclass
class Bar:
    """One contender."""

    label: str
    seconds: float
    own: bool
    """Whether it is this suite's."""


@dataclass
class Panel:
    """One kind of work; its bars have a scale of their own."""

    title: str
    bars: list[Bar]


def draw(panels: list[Panel]) -> str:
    """The chart."""
    parts: list[str] = []
    top = 0
    for panel in panels:
        parts.append(f'<text class="title" x="0" y="{top + 20}">{escape(panel.title)}: seconds</text>')
        top += _TITLE
        scale = _LONGEST / max(bar.seconds for bar in panel.bars)
        for bar in panel.bars:
            length = max(2.0, bar.seconds * scale)
            kind = "bar own" if bar.own else "bar"
            parts += [
                _text(bar.label, _LABEL - 10, top, "end", own=bar.own),
                f'<rect class="{kind}" x="{_LABEL}" y="{top}" width="{length:.1f}" height="{_BAR}"/>',
                _text(f"{bar.seconds:.1f}", _LABEL + length + 8, top, "start", own=bar.own),
            ]
            top += _STEP
        top += 10
    summary = "; ".join(
        f"{panel.title}: " + ", ".join(f"{bar.label} {bar.seconds:.1f} s" for bar in panel.bars)
        for panel in panels
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}" '
        f'role="img"><title>{escape(summary)}</title><style>{_STYLE}</style>'
    )
    return "\n".join([head, *parts, "</svg>", ""])


def _text(text: str, x: float, top: float, anchor: str, *, own: bool) -> str:
    """A text beside a bar."""
    kind = 'class="own" ' if own else ""
    place = f'x="{x:.1f}" y="{top + _BAR / 2 + 4.5:.1f}" text-anchor="{anchor}"'
    return f"<text {kind}{place}>{escape(text)}</text>"

"""The load by day and hour, as a picture."""

from collections.abc import Sequence
from datetime import datetime

_CELL, _LEFT, _TOP = 22, 92, 34
_HOURS = 24


def heat_map(rows: Sequence[tuple[datetime, Sequence[int]]]) -> str:
    """An SVG: a row for each day, a column for each hour, darker where more pods start."""
    highest = max((max(counts) for _, counts in rows), default=0)
    width, height = _LEFT + _HOURS * _CELL + 12, _TOP + len(rows) * _CELL + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">',
        "<title>Starts by day and hour, in UTC</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for hour in range(_HOURS):
        x = _LEFT + hour * _CELL + _CELL // 2
        parts.append(f'<text x="{x}" y="{_TOP - 8}" text-anchor="middle">{hour}</text>')
    for place, (day, counts) in enumerate(rows):
        y = _TOP + place * _CELL
        parts.append(f'<text x="8" y="{y + 15}">{day:%a %Y-%m-%d}</text>')
        for hour, count in enumerate(counts):
            shade = _shade(count, highest)
            parts.append(
                f'<rect x="{_LEFT + hour * _CELL}" y="{y}" width="{_CELL - 2}" '
                f'height="{_CELL - 2}" rx="3" fill="{shade}"><title>{day:%Y-%m-%d} {hour:02d}:00 '
                f"UTC: {count}</title></rect>"
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _shade(count: int, highest: int) -> str:
    """From a pale grey over blue to a dark red."""
    if not count:
        return "#f1f3f5"
    share = count / highest
    red = round(208 + (146 - 208) * share) if share > 0.5 else round(165 + 43 * share * 2)
    green = round(216 * (1 - share) ** 0.8 + 20)
    blue = round(255 * (1 - share) + 30)
    return f"#{min(red, 255):02x}{min(green, 255):02x}{min(blue, 255):02x}"

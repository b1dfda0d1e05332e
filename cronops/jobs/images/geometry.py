"""How large a rendition becomes, and what of the image it shows; pure."""

from typing import NamedTuple


class Cut(NamedTuple):
    """A rendition's size, and the part of the image that it shows."""

    size: tuple[int, int]
    """Width and height in pixels, each at least 1."""
    box: tuple[float, float, float, float]
    """Left, upper, right and lower edge in the image, in its pixels."""


def cut_for(image: tuple[int, int], box: tuple[int, int], fit: str) -> Cut:
    """What of an image fills a box of that size; ``contain`` or ``cover``.

    Nothing is enlarged: an image that is smaller keeps its pixels, ``cover`` still cuts it to the
    box's shape.
    """
    return _cover(image, box) if fit == "cover" else _contain(image, box)


def _contain(image: tuple[int, int], box: tuple[int, int]) -> Cut:
    width, height = image
    scale = min(box[0] / width, box[1] / height, 1.0)
    return Cut(_rounded(width * scale, height * scale), (0, 0, width, height))


def _cover(image: tuple[int, int], box: tuple[int, int]) -> Cut:
    width, height = image
    # The largest part of the image that has the box's shape.
    part_width = max(1.0, min(width, height * box[0] / box[1]))
    part_height = max(1.0, min(height, width * box[1] / box[0]))
    left, upper = (width - part_width) / 2, (height - part_height) / 2
    scale = min(box[0] / part_width, 1.0)
    size = _rounded(part_width * scale, part_height * scale)
    return Cut(size, (left, upper, left + part_width, upper + part_height))


def _rounded(width: float, height: float) -> tuple[int, int]:
    return max(1, round(width)), max(1, round(height))

"""What is said of one of the shop's tables."""

from typing import NamedTuple


class ShopTable(NamedTuple):
    """A table, or a view, that is the shop's."""

    name: str
    columns: tuple[str, ...]
    """What jobs read of it, or write."""
    create: tuple[str, ...]
    """Makes it for demo and tests; ``{schema}`` stands for the shop's schema."""

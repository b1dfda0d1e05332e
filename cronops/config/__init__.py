"""Typed settings from environment, secret files and a file; read once, then passed."""

from cronops.config.load import Leaf, Loaded, is_set, leaves, load_settings, problems_of
from cronops.config.model import Settings

__all__ = ["Leaf", "Loaded", "Settings", "is_set", "leaves", "load_settings", "problems_of"]

"""Property tests on a busy machine: an example may take longer than Hypothesis finds normal."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

"""What a run says about itself: log lines, with secrets masked wherever they might appear."""

from cronops.telemetry.logs import Logger, bind_run, configure_logging, get_logger
from cronops.telemetry.redact import mask_url, redact, redact_value, register_secrets

__all__ = [
    "Logger",
    "bind_run",
    "configure_logging",
    "get_logger",
    "mask_url",
    "redact",
    "redact_value",
    "register_secrets",
]

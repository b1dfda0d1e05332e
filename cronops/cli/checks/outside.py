"""Whether what runs report to can be reached."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cronops.cli.checks.finding import Finding
from cronops.cli.output import as_text

if TYPE_CHECKING:
    from cronops.config import Settings

_ANSWER_WITHIN = 5.0


def gateways(settings: "Settings") -> Iterator[Finding]:
    """Whether the Pushgateway and the Alertmanager answer, where they are configured."""
    targets = {
        "pushgateway": (settings.pushgateway_url, "/-/ready"),
        "alertmanager": (settings.alertmanager_url, "/-/ready"),
    }
    for name, (url, path) in targets.items():
        if url is None:
            yield Finding(name, "ok", "not configured")
        else:
            yield _answering(name, url.get_secret_value(), path)


def _answering(name: str, url: str, path: str) -> Finding:
    import httpx

    from cronops.telemetry.redact import mask_url

    base = url if "://" in url else f"http://{url}"
    shown = mask_url(base)
    try:
        answer = httpx.get(base.rstrip("/") + path, timeout=_ANSWER_WITHIN)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Finding(
            name,
            "fail",
            f"{shown} does not answer: {as_text(str(error) or type(error).__name__)}",
            "runs still count, but what they report is late: check the address and the network",
        )
    if answer.is_success:
        return Finding(name, "ok", f"{shown} is ready")
    return Finding(
        name, "warn", f"{shown} answers {answer.status_code} to {path}", "is it the right address?"
    )


def metrics_file(settings: "Settings") -> Iterator[Finding]:
    """Whether the textfile can be written."""
    path = settings.metrics_textfile
    if path is None:
        return
    if path.parent.is_dir() and os.access(path.parent, os.W_OK):
        yield Finding("metrics file", "ok", str(path))
    else:
        yield Finding(
            "metrics file", "fail", f"cannot write in {path.parent}", "create it, or chmod"
        )

"""TLS, always verified: against the system's certificates and those of `clients.ca_file`."""

import ssl
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cronops.errors import ConfigurationError

if TYPE_CHECKING:
    from cronops.config import Settings


def tls_context(settings: "Settings") -> ssl.SSLContext:
    """What to verify servers with. Raises `ConfigurationError` where `ca_file` is no PEM file."""
    ca_file = settings.clients.ca_file
    return _context(ca_file, _version(ca_file))


# Reading all authorities takes some 20 ms; a context may be shared by connections and threads.
@lru_cache(maxsize=8)
def _context(ca_file: Path | None, version: tuple[int, int]) -> ssl.SSLContext:  # noqa: ARG001
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not _system_has_certificates():
        import certifi

        context.load_verify_locations(certifi.where())
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            reason = error.strerror if not isinstance(error, ssl.SSLError) else "it is no PEM file"
            raise ConfigurationError(
                f"CRONOPS_CLIENTS__CA_FILE: cannot read certificates from {ca_file}: {reason}"
            ) from None
    return context


def _version(ca_file: Path | None) -> tuple[int, int]:
    """Another one once the file is replaced, as a Secret is while a worker follows a queue."""
    try:
        found = ca_file.stat() if ca_file is not None else None
    except OSError:
        found = None
    return (found.st_mtime_ns, found.st_size) if found is not None else (0, 0)


def untrusted(error: BaseException | None, where: str) -> ConfigurationError | None:
    """The error to raise where `error`, or what caused it, is a certificate that is not trusted."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return ConfigurationError(
                f"{where}: its certificate is not trusted: {error.verify_message.rstrip('.')}. "
                "Check the host name; a certificate authority of your own goes into "
                "CRONOPS_CLIENTS__CA_FILE"
            )
        error = error.__cause__ or error.__context__
    return None


def _system_has_certificates() -> bool:
    # A slim image may have neither; a directory is only looked into when a server is verified.
    paths = ssl.get_default_verify_paths()
    in_directory = paths.capath is not None and any(Path(paths.capath).iterdir())
    return paths.cafile is not None or in_directory

"""Certificates, made for the test and known to nobody else."""

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import trustme

HOSTS = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Identity:
    """What a server proves itself with."""

    ca_file: Path
    """The authority that signed it: what `clients.ca_file` takes."""
    key_and_chain: Path
    """Private key and certificates, as pyftpdlib wants them."""

    def context(self) -> ssl.SSLContext:
        """TLS for a server."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.key_and_chain)
        return context


@contextmanager
def identity(hosts: tuple[str, ...] = HOSTS) -> Iterator[Identity]:
    """A certificate for `hosts`, and the file of the authority that signed it."""
    with tempfile.TemporaryDirectory(prefix="cronops-tls-") as directory:
        authority, chain = Path(directory, "ca.pem"), Path(directory, "server.pem")
        _authority().cert_pem.write_to_path(str(authority))
        _issued(hosts).private_key_and_cert_chain_pem.write_to_path(str(chain))
        yield Identity(authority, chain)


@cache
def _authority() -> trustme.CA:
    return trustme.CA()


@cache
def _issued(hosts: tuple[str, ...]) -> trustme.LeafCert:
    return _authority().issue_cert(*hosts)

"""Keys as text: the server's, which it has to prove, and ours."""

import base64
import binascii
from io import StringIO
from itertools import pairwise

import paramiko

from cronops.errors import ConfigurationError

_TYPES = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),  # an RSA key; never with SHA-1
}
_PORT = 22
_KINDS: tuple[type[paramiko.PKey], ...] = (
    paramiko.Ed25519Key,
    paramiko.ECDSAKey,
    paramiko.RSAKey,
)


class HostKeys:
    """The keys that a server may prove itself with."""

    def __init__(self, text: str, host: str, port: int) -> None:
        if not text.strip():
            at = host if port == _PORT else f"-p {port} {host}"
            raise ConfigurationError(
                f"the credential has no host_key, and nothing else says who {host} is: compare "
                f"what `ssh-keyscan -t ed25519 {at}` prints with what the partner tells you, and "
                "put it there"
            )
        self._known = dict(_read(text))
        if not self._known:
            raise ConfigurationError(
                "the credential's host_key is no public key: it looks like "
                "`ssh-ed25519 AAAAC3Nza…`; of rsa, ecdsa and ed25519"
            )

    @property
    def algorithms(self) -> list[str]:
        """What to ask the server to prove itself with."""
        kinds = dict.fromkeys(self._known.values())
        return [algorithm for kind in kinds for algorithm in _TYPES[kind]]

    def check(self, key: paramiko.PKey, host: str) -> None:
        """Raise `ConfigurationError` where `key` is none of them."""
        if key.asbytes() not in self._known:
            raise ConfigurationError(
                f"{host} has another host key ({key.get_name()} {key.fingerprint}) than the "
                "credential's host_key: it is another machine, or the partner has changed the "
                "key. Ask before you replace it"
            )


def private_key(text: str, passphrase: str) -> paramiko.PKey:
    """The private key in the text of a file: ed25519, ecdsa or rsa; OpenSSH's form or PEM."""
    text = text.replace("\r\n", "\n").strip() + "\n"
    for kind in _KINDS:
        try:
            return kind.from_private_key(StringIO(text), password=passphrase or None)
        except paramiko.PasswordRequiredException:
            raise ConfigurationError(
                "the credential's private_key is encrypted: give its passphrase, too"
            ) from None
        except (paramiko.SSHException, ValueError, TypeError, IndexError, binascii.Error):
            continue
    raise ConfigurationError(
        "the credential's private_key cannot be read: it is the whole text of a file such as "
        "id_ed25519 (ed25519, ecdsa or rsa)" + (", or the passphrase is wrong" * bool(passphrase))
    )


def _read(text: str) -> list[tuple[bytes, str]]:
    """Each key's bytes and type; of lines with or without a host before and a comment behind."""
    found = []
    for line in text.splitlines():
        words = line.split()
        for kind, encoded in pairwise(words):
            if kind in _TYPES and not line.lstrip().startswith("#"):
                try:
                    found.append((base64.b64decode(encoded, validate=True), kind))
                except binascii.Error:
                    continue
    return found

"""Settings for what lies outside: servers that jobs talk to, and who we are there."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cronops.config.kinds import choice, duration, integer, path, secret, text
from cronops.config.setting import InvalidSettings, Section, Setting


class Credential(Section):
    """Who we are at one server, and how we know it."""

    username = text("", "The login name.")
    password = secret("The password.")
    private_key = secret("An OpenSSH private key, as the text of its file.")
    passphrase = secret("Of the private key.")
    token = secret("A bearer token for HTTP.")
    host_key = text(
        "",
        "For SFTP: the server's public key, as `ssh-keyscan` prints it: `ssh-ed25519 AAAA…`; "
        "several, a line each, where it may have any of them.",
        pattern=r"(?s).{1,20000}",
        must="must be text of 1 to 20,000 characters",
    )


def credentials(description: str) -> Setting[dict[str, Credential]]:
    """Credentials, each under a name that rows in the database refer to."""

    def parse(value: Any) -> dict[str, Credential]:
        shape = 'must be {"name": {"username": "…", "password": "…"}, …}'
        if not isinstance(value, Mapping):
            raise ValueError(shape)
        parsed: dict[str, Credential] = {}
        for name, fields in value.items():
            if isinstance(fields, Credential):
                parsed[name] = fields
                continue
            if not isinstance(fields, Mapping):
                raise ValueError(f"{name}: {shape}")
            try:
                parsed[name] = Credential(**fields)
            except InvalidSettings as error:
                raise InvalidSettings(
                    [((name, *path), said) for path, said in error.problems]
                ) from None
        return parsed

    return Setting({}, description, kind="JSON object of objects", parse=parse, is_json=True)


class ClientSettings(Section):
    """How jobs talk to servers of partners."""

    credentials = credentials(
        "Name to username, password, private_key, passphrase, token and host_key, as JSON. Best "
        "kept in a secret file. Rows in the database name one; none holds a password."
    )
    connect_timeout = duration(
        timedelta(seconds=10),
        "Longest wait for a connection to be made.",
        at_least=timedelta(seconds=1),
    )
    read_timeout = duration(
        timedelta(seconds=30),
        "Longest silence of a server in the middle of an answer.",
        at_least=timedelta(seconds=1),
    )
    total_timeout = duration(
        timedelta(minutes=10),
        "Longest that one request or file may take, however steadily it drips.",
        at_least=timedelta(seconds=1),
    )
    attempts = integer(
        3, "Tries of one request before a server is given up.", at_least=1, at_most=20
    )
    ca_file = path(
        None, "Certificates to trust beside the system's: a PEM file. Nothing turns checking off."
    )


class MailSettings(Section):
    """How jobs hand in mail: one server that takes it, and who we are there."""

    host = text(None, "The mail server that takes mail from us (submission).")
    port = integer(587, "Its port: 587 with starttls, 465 with tls.", at_least=1, at_most=65_535)
    security = choice(
        "How the connection is encrypted. `plain` is not, and is refused to any other machine.",
        "starttls",
        "starttls",
        "tls",
        "plain",
    )
    username = text(None, "The login name; unset means that the server wants none.")
    password = secret("The password. Best kept in a secret file.")

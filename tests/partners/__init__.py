"""Real servers of partners, in this process: HTTPS, FTP, FTPS, SFTP, and how they misbehave.

::

    with https_server(lambda request: Reply(b"[]")) as server:
        settings = client_settings(server, read_timeout="1s")
        ...

Each can be told to cut the connection or to fall silent at a named point.
"""

from tests.partners.settings import client_settings
from tests.partners.tls import Identity, identity
from tests.partners.web import HttpsServer, Reply, gzipped, https_server

__all__ = [
    "HttpsServer",
    "Identity",
    "Reply",
    "client_settings",
    "gzipped",
    "https_server",
    "identity",
]

"""Real servers of partners, in this process: HTTPS, FTP, FTPS, SFTP, SMTP, and how they misbehave.

::

    with https_server(lambda request: Reply(b"[]")) as server:
        settings = client_settings(server, read_timeout="1s")

    with sftp_server(directory, trouble=Trouble("download", CUT, times=1)) as server:
        there = open_transfer(server.url, client_settings(server), root=…, credential="partner")

Each server of files can be told to cut the connection or to fall silent at a named point.
"""

from tests.partners.files import https_file_server
from tests.partners.ftp import FtpPartner, ftp_server
from tests.partners.settings import client_environment, client_settings
from tests.partners.sftp import SftpPartner, new_key, new_private_key, sftp_server
from tests.partners.smtp import MailServer, Mood, mail_server
from tests.partners.tls import Identity, identity
from tests.partners.trouble import CUT, SHORT, STALL, Trouble
from tests.partners.web import HttpsServer, Reply, gzipped, https_server

__all__ = [
    "CUT",
    "SHORT",
    "STALL",
    "FtpPartner",
    "HttpsServer",
    "Identity",
    "MailServer",
    "Mood",
    "Reply",
    "SftpPartner",
    "Trouble",
    "client_environment",
    "client_settings",
    "ftp_server",
    "gzipped",
    "https_file_server",
    "https_server",
    "identity",
    "mail_server",
    "new_key",
    "new_private_key",
    "sftp_server",
]

"""FTP with explicit TLS, as many servers insist on it."""

import ftplib
import ssl
from socket import socket


class FtpTls(ftplib.FTP_TLS):
    """Uses the control connection's TLS session for the data, which many servers insist on."""

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket, int | None]:
        """The data connection of a command, encrypted; its size where the server tells."""
        data, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321 - encrypted just below
        control = self.sock
        session = control.session if isinstance(control, ssl.SSLSocket) else None
        try:
            secured = self.context.wrap_socket(data, server_hostname=self.host, session=session)
        except BaseException:
            data.close()
            raise
        return secured, size

"""Files behind FTP, in clear or with explicit TLS (FTPS)."""

from cronops.clients.transfer.ftp.replies import explain
from cronops.clients.transfer.ftp.session import FtpSession

__all__ = ["FtpSession", "explain"]

"""Files behind SFTP. The only home of paramiko.

Its errors become ours, so its log stays silent: it would tell each of them again.
"""

import logging

from cronops.clients.transfer.sftp.session import SftpSession, explain

__all__ = ["SftpSession", "explain"]

logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False

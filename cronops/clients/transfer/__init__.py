"""Files at a partner's, the same whether they are in a directory or behind SFTP, FTPS, FTP, HTTPS.

::

    with open_transfer("sftp://files.example.com/inbound", settings, credential="acme") as there:
        for file in there.list("stock_*.csv"):
            there.download(file.name, target)
            there.move(file.name, "backup")

Every one keeps the promises of `Transfer`.
"""

from cronops.clients.transfer.location import check_location
from cronops.clients.transfer.opening import open_transfer
from cronops.clients.transfer.protocol import RemoteFile, Transfer

__all__ = ["RemoteFile", "Transfer", "check_location", "open_transfer"]

"""HTTP with everything that a partner's server makes necessary.

::

    with HttpClient(settings, correlation_id=ctx.correlation_id, credential="acme") as http:
        orders = http.get("https://api.example.com/orders", params={"since": since}).json()

Certificates are verified, connecting, silence and the whole are bounded, what fails on the way
is tried again, and nothing larger than a limit is taken in.
"""

from cronops.clients.http.answer import Answer
from cronops.clients.http.client import HttpClient

__all__ = ["Answer", "HttpClient"]

"""A job that imports the clients pays for a library only when it talks to such a server."""

import subprocess
import sys

HEAVY = {"defusedxml", "ftplib", "httpcore", "httpx", "paramiko", "pydantic", "sqlalchemy"}
IMPORTING = """
import sys
import cronops.clients.http, cronops.clients.transfer, cronops.clients.xml
print(*sys.modules)
"""


def test_importing_the_clients_imports_no_library_of_theirs():
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING], capture_output=True, text=True, check=True
    )
    imported = set(done.stdout.split())
    assert "cronops.clients.http.client" in imported
    assert imported & HEAVY == set()

"""A sample of DriveRight's web service, on this machine, for as long as a command takes.

``python -m cronops.samples.driveright --vehicles 300 driveright sync`` serves 300 vehicles over
HTTPS with a certificate made for it, and runs that command with the settings that find it.
"""

import argparse
import json
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cronops.samples.tour import Step

_HERE = "127.0.0.1"
_KEY = "sample"


def vehicle(number: int) -> dict[str, Any]:
    """One vehicle, the same for the same number; what fits one in a hundred is malformed."""
    size = 15 + number % 4
    tyre = {
        "productType": "tyre",
        "position": "both",
        "oe": True,
        "tyreWidth": 185 + 10 * (size - 15),
    }
    wheel = {"productType": "wheel", "position": "both", "wheelDiameter": size, "wheelWidth": 6.5}
    pcd = "5-112" if number % 100 == 99 else "5x112"
    return {
        "id": f"DR{number:06d}",
        "make": ("Aurora", "Borealis", "Corona")[number % 3],
        "model": f"Type {number // 30}",
        "generation": f"Mk {1 + number // 3 % 5}",
        "variant": ("1.4", "2.0 TDI")[number // 15 % 2],
        "builtFrom": 2000 + number % 20,
        "builtUntil": 2005 + number % 20,
        "fitments": [
            {**tyre, "tyreAspect": 60, "tyreDiameter": size},
            {**wheel, "pcd": pcd, "centreBore": 57.1, "offsetMin": 35, "offsetMax": 48},
        ],
    }


def tour() -> Iterator[Step]:
    """Commands that show a sync with DriveRight; they may be repeated."""
    yield Step(
        "DriveRight, played by this machine: pull, compare, report, update.",
        "--vehicles 300 driveright sync",
        program="python -m cronops.samples.driveright",
    )
    yield Step("How far is it?", "driveright status")
    yield Step("What could not be used?", "driveright changes --malformed")
    yield Step("What has changed?", "driveright changes --limit 3")


@contextmanager
def _service(count: int, directory: Path) -> Iterator[dict[str, str]]:
    """Serve so many vehicles; the settings by which a command finds them."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = {name: text for name, (text, *_) in parse_qs(urlsplit(self.path).query).items()}
            begin = int(asked.get("cursor", "1"))
            end = min(begin + int(asked.get("limit", "100")), count + 1)
            page = {
                "total": count,
                "vehicles": [vehicle(number) for number in range(begin, end)],
                "next": str(end) if end <= count else None,
            }
            body = json.dumps(page).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer((_HERE, 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = _certificate(directory)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield {
            "CRONOPS_DRIVERIGHT__BASE_URL": f"https://{_HERE}:{server.server_port}",
            "CRONOPS_DRIVERIGHT__API_KEY": _KEY,
            "CRONOPS_CLIENTS__CA_FILE": str(certificate),
        }
    finally:
        server.shutdown()
        server.server_close()


def _certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate for this machine, good for an hour, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cronops sample")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(_HERE))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, key_file = directory / "certificate.pem", directory / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.touch(mode=0o600)
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, key_file


def main() -> int:
    """Serve, run the command, and end with its exit code."""
    program = "python -m cronops.samples.driveright"
    parser = argparse.ArgumentParser(prog=program, description=__doc__)
    parser.add_argument("--vehicles", type=int, default=300, help="so many vehicles")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what follows cronops")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        _service(given.vehicles, Path(directory)) as settings,
    ):
        told = [f"{name}={value}" for name, value in settings.items()]
        command = ["/usr/bin/env", *told, sys.executable, "-m", "cronops", *given.command]
        return subprocess.run(command, check=False).returncode  # noqa: S603 - our own command


if __name__ == "__main__":
    sys.exit(main())

"""Which certificates are trusted."""

import ssl
from types import SimpleNamespace

import certifi
import pytest

from cronops.clients.tls import _context, tls_context, untrusted
from cronops.config import load_settings
from cronops.errors import ConfigurationError
from tests.partners import client_environment, client_settings, identity


@pytest.fixture(autouse=True)
def nothing_is_remembered():
    _context.cache_clear()
    yield
    _context.cache_clear()


def test_a_file_that_is_replaced_is_read_again(tmp_path):
    file = tmp_path / "ca.pem"
    with identity() as proof:
        file.write_bytes(proof.ca_file.read_bytes())
        tls_context(client_settings(ca_file=file))
    file.write_text("no certificate")
    with pytest.raises(ConfigurationError, match="no PEM file"):
        tls_context(client_settings(ca_file=file))


def test_tests_give_the_same_settings_to_this_process_and_to_others():
    with identity() as proof:
        server = SimpleNamespace(ca_file=proof.ca_file, credential={"username": "u"})
        here = client_settings(server, attempts=2)
        there = load_settings(client_environment(server, attempts=2)).settings
    assert here.clients == there.clients


def test_everything_is_verified_and_old_tls_is_not_spoken():
    context = tls_context(client_settings())
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_the_file_of_the_settings_is_trusted_beside_the_system():
    with identity() as proof:
        before = tls_context(client_settings()).cert_store_stats()["x509_ca"]
        context = tls_context(client_settings(ca_file=proof.ca_file))
    assert context.cert_store_stats()["x509_ca"] == before + 1


@pytest.mark.parametrize("has_directory", [False, True], ids=["nothing", "empty directory"])
def test_a_system_without_certificates_has_those_of_certifi(monkeypatch, tmp_path, has_directory):
    paths = SimpleNamespace(cafile=None, capath=str(tmp_path) if has_directory else None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    monkeypatch.setattr(
        ssl, "create_default_context", lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    certifis = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    certifis.load_verify_locations(certifi.where())

    trusted = tls_context(client_settings()).get_ca_certs()
    assert trusted == certifis.get_ca_certs()
    assert len(trusted) > 100


@pytest.mark.parametrize("content", [None, "no certificate", ""])
def test_a_file_that_is_no_pem_file_is_told_by_its_setting(tmp_path, content):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigurationError, match=r"CLIENTS__CA_FILE: cannot read .*ca\.pem"):
        tls_context(client_settings(ca_file=file))


def test_a_certificate_is_found_below_what_it_caused():
    error = RuntimeError("connection failed")
    cause = ssl.SSLCertVerificationError("x")
    cause.verify_message = "certificate has expired"
    error.__cause__ = OSError("below")
    error.__cause__.__context__ = cause
    told = untrusted(error, "ftps://h/")
    assert str(told).startswith(
        "ftps://h/: its certificate is not trusted: certificate has expired."
    )
    assert untrusted(RuntimeError("other"), "ftps://h/") is None

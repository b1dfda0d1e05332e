"""Which addresses are public, and that the one looked at is the one connected to."""

import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronops.clients.http import HttpClient, network
from cronops.clients.http.network import is_public
from cronops.errors import BadInput
from tests.partners import Reply, client_settings, https_server

NOT_PUBLIC = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "localhost",
    "",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1"]
)
def test_public(address):
    assert is_public(address)


@settings(max_examples=200, deadline=None)
@given(st.ip_addresses(v=4))
def test_an_address_is_as_public_in_its_ipv6_form_as_it_is(address):
    assert is_public(f"::ffff:{address}") == is_public(str(address))
    assert not is_public(f"64:ff9b::{address}")


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch):
    def resolve(host, port, **_):
        addresses = ["93.184.216.34", "169.254.169.254"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with (
        HttpClient(client_settings(), correlation_id="", public_only=True) as http,
        pytest.raises(BadInput, match=r"cdn\.example is at 169\.254\.169\.254"),
    ):
        http.get("https://cdn.example/logo.png")


def test_a_name_is_resolved_once_and_that_address_is_connected_to(monkeypatch):
    asked = []
    resolve = socket.getaddrinfo

    def count(host, *arguments, **options):
        asked.append(host)
        # Who asks a second time for the name would be led elsewhere.
        named = [one for one in asked if one == "localhost"]
        return resolve("127.0.0.1" if len(named) < 2 else "127.0.0.2", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", count)
    monkeypatch.setattr(network, "is_public", lambda address: address == "127.0.0.1")
    with (
        https_server(lambda _: Reply(b"hello"), hosts=("localhost",)) as server,
        HttpClient(client_settings(server), correlation_id="", public_only=True) as http,
    ):
        # The certificate is for the name, not for the address.
        assert http.get(f"https://localhost:{server.port}/").content == b"hello"
    assert asked.count("localhost") == 1

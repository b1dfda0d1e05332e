"""What only SFTP has: host keys, private keys, servers without the newer requests."""

from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from cronops.clients.transfer import open_transfer
from cronops.errors import ConfigurationError, TransientError
from tests.partners import client_settings, new_key, sftp_server

RSA = rsa.generate_private_key(65537, 2048)
KEYS = {
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ecdsa": ec.generate_private_key(ec.SECP256R1()),
    "rsa": RSA,
}


def opened(server, **fields):
    credential = {**server.credential, **fields}
    settings = client_settings(credentials={"partner": {k: v for k, v in credential.items() if v}})
    return open_transfer(server.url, settings, root=Path("/nowhere"), credential="partner")


def text_of(key, passphrase: str = "", form: PrivateFormat = PrivateFormat.OpenSSH) -> str:
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, encryption).decode()


def public_part(key) -> str:
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return public.decode().split()[1]


def log_in(transfer) -> None:
    with transfer:
        pass


@pytest.mark.parametrize(
    "line", ["{}", "files.example.com {}", "[127.0.0.1]:2222 {} root@files", "# banner\n{}\n"]
)
def test_the_host_key_is_taken_as_ssh_keyscan_prints_it(tmp_path, line):
    with sftp_server(tmp_path) as server:
        log_in(opened(server, host_key=line.format(server.host_key)))


def test_one_of_several_host_keys_is_enough(tmp_path):
    other = new_key()
    with sftp_server(tmp_path) as server:
        both = f"ssh-ed25519 {other.get_base64()}\n{server.host_key}"
        log_in(opened(server, host_key=both))


def test_another_host_key_is_refused_before_the_password_is_sent(tmp_path):
    other = new_key()
    with (
        sftp_server(tmp_path) as server,
        pytest.raises(ConfigurationError, match=r"has another host key .*SHA256:") as raised,
    ):
        log_in(opened(server, host_key=f"ssh-ed25519 {other.get_base64()}"))
    assert server.logins == []
    assert "replace it" in str(raised.value)


def test_a_server_without_a_key_of_the_kind_that_is_known_is_refused(tmp_path):
    known = f"ssh-rsa {public_part(RSA)}"
    with (
        sftp_server(tmp_path) as server,
        pytest.raises(ConfigurationError, match="no host key of the kind"),
    ):
        log_in(opened(server, host_key=known))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"host_key": ""}, r"has no host_key.* `ssh-keyscan -t ed25519 -p [0-9]+ 127"),
        ({"host_key": "SHA256:abc"}, "host_key is no public key"),
        ({"host_key": "ssh-ed25519 not-base64!"}, "host_key is no public key"),
        ({"username": ""}, "needs a username"),
        ({"password": ""}, "needs a username, and a password or a private_key"),
        ({"private_key": "-----BEGIN"}, "private_key cannot be read"),
        ({"private_key": text_of(RSA, "s3cret")}, "private_key is encrypted"),
        ({"private_key": text_of(RSA, "s3cret"), "passphrase": "other"}, "passphrase is wrong"),
    ],
)
def test_what_a_credential_lacks_is_told_in_words_and_without_secrets(tmp_path, fields, said):
    with (
        sftp_server(tmp_path) as server,
        pytest.raises(ConfigurationError, match=said) as raised,
    ):
        log_in(opened(server, **fields))
    assert "s3cret" not in str(raised.value)
    assert "pass word" not in str(raised.value)


def test_without_a_credential_nothing_is_tried(tmp_path):
    with (
        sftp_server(tmp_path) as server,
        pytest.raises(ConfigurationError, match="name a credential"),
    ):
        open_transfer(server.url, client_settings(server), root=tmp_path)
    assert server.logins == []


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("passphrase", ["", "a phrase"], ids=["open", "encrypted"])
def test_private_keys_of_each_kind(tmp_path, kind, passphrase):
    text = text_of(KEYS[kind], passphrase).replace("\n", "\r\n")
    with sftp_server(tmp_path, password=None, public_key=public_part(KEYS[kind])) as server:
        log_in(opened(server, private_key=text, passphrase=passphrase))
    assert len(server.logins) == 1


def test_a_private_key_in_pem(tmp_path):
    text = text_of(RSA, form=PrivateFormat.TraditionalOpenSSL)
    with sftp_server(tmp_path, password=None, public_key=public_part(RSA)) as server:
        log_in(opened(server, private_key=text))
    assert server.logins == ["ssh-rsa"]


def test_a_server_that_wants_key_and_password_gets_both(tmp_path):
    key = KEYS["ed25519"]
    with sftp_server(tmp_path, public_key=public_part(key)) as server:
        log_in(opened(server, private_key=text_of(key)))
        assert server.logins == ["ssh-ed25519", "password"]
        with pytest.raises(ConfigurationError, match=r"asks for more .*: password"):
            log_in(opened(server, private_key=text_of(key), password=""))


def test_the_agent_and_the_keys_of_the_home_directory_are_not_asked(tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_ed25519").write_text(text_of(KEYS["ed25519"]))
    monkeypatch.setenv("HOME", str(home))

    def refuse(*_: object) -> None:
        raise AssertionError("the agent was asked")

    monkeypatch.setattr(paramiko.Agent, "__init__", refuse)
    with (
        sftp_server(tmp_path, public_key=public_part(KEYS["ed25519"]), password=None) as server,
        pytest.raises(ConfigurationError, match="login was refused"),
    ):
        log_in(opened(server, password="pass word"))


def test_a_server_without_posix_rename_gets_the_new_file_all_the_same(tmp_path):
    files = tmp_path / "there"
    files.mkdir()
    (files / "a.csv").write_text("old")
    source = tmp_path / "source"
    source.write_text("new")
    with sftp_server(files, posix_rename=False) as server, opened(server) as there:
        there.upload(source, "a.csv")
        there.upload(source, "b.csv")
    assert {file.name: file.read_text() for file in files.iterdir()} == dict.fromkeys(
        ("a.csv", "b.csv"), "new"
    )


def test_a_server_that_gives_less_than_it_is_asked_for_is_asked_for_the_rest(tmp_path):
    content = bytes(range(256)) * 1000
    (tmp_path / "a.csv").write_bytes(content)
    with sftp_server(tmp_path, largest_read=5000) as server, opened(server) as there:
        there.download("a.csv", tmp_path / "got", limit=len(content))
    assert (tmp_path / "got").read_bytes() == content


def test_a_file_that_grows_while_it_is_read_is_not_taken(tmp_path, monkeypatch):
    file = tmp_path / "a.csv"
    file.write_bytes(b"x" * 300_000)
    read = paramiko.SFTPHandle.read

    def read_and_grow(self, offset, length):
        with file.open("ab") as writer:
            writer.write(b"more")
        return read(self, offset, length)

    monkeypatch.setattr(paramiko.SFTPHandle, "read", read_and_grow)
    with (
        sftp_server(tmp_path) as server,
        opened(server) as there,
        pytest.raises(TransientError, match="changed while it was read"),
    ):
        there.download("a.csv", tmp_path / "got", limit=1 << 30)
    assert not (tmp_path / "got").exists()


def test_links_are_not_listed(tmp_path):
    (tmp_path / "a.csv").write_text("a")
    (tmp_path / "link.csv").symlink_to("a.csv")
    with sftp_server(tmp_path) as server, opened(server) as there:
        assert [file.name for file in there.list()] == ["a.csv"]

"""What the HTTP client asks, and what it makes of servers that are busy, broken or hostile."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from cronops import __version__
from cronops.clients.http import HttpClient
from cronops.errors import (
    BadInput,
    ConfigurationError,
    CronopsError,
    Interrupted,
    PermanentError,
    TransientError,
)
from tests.partners import HttpsServer, Reply, client_settings, gzipped, https_server
from tests.servers import DRIP, refusing_port, web_server

MIB = 1 << 20


class Waits:
    """A pause that only remembers how long it should have been."""

    def __init__(self, go_on: bool = True) -> None:
        self.seconds: list[float] = []
        self._go_on = go_on

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return self._go_on


def client(server: HttpsServer, *, settings: dict[str, Any] | None = None, **options: Any):
    options.setdefault("correlation_id", "run-7")
    options.setdefault("pause", Waits())
    return HttpClient(client_settings(server, **(settings or {})), **options)


def in_turn(*replies: Reply) -> Callable[..., Reply]:
    left: Iterator[Reply] = iter(replies)
    return lambda _request: next(left)


def test_a_request_says_who_asks_and_an_answer_is_read():
    with (
        https_server(lambda _: Reply(b'{"orders": []}', headers={"X-Next": "5"})) as server,
        client(server, correlation_id="run-7 ü") as http,
    ):
        answer = http.get(f"{server.url}/orders", params={"since": "2026-01-01", "page": None})

    [request] = server.requests
    assert request.path == "/orders?since=2026-01-01"
    assert request.headers["User-Agent"] == f"cronops/{__version__}"
    assert request.headers["X-Correlation-ID"] == "run-7%20%C3%BC"
    assert (answer.status, answer.json(), answer.headers["x-next"]) == (200, {"orders": []}, "5")
    assert answer.url == f"{server.url}/orders?since=2026-01-01"


@pytest.mark.parametrize(
    ("credential", "header"),
    [
        ({"token": "t0k3n"}, "Bearer t0k3n"),
        ({"username": "jürgen", "password": "pass"}, "Basic asO8cmdlbjpwYXNz"),
    ],
)
def test_a_credential_is_sent_as_a_token_or_as_a_login(credential, header):
    with https_server(lambda _: Reply(), credential=credential) as server:
        with client(server, credential="partner") as http:
            http.get(server.url)
        assert server.requests[0].headers["Authorization"] == header


def test_a_post_sends_json_and_its_headers():
    with https_server(lambda _: Reply(status=204)) as server, client(server) as http:
        answer = http.post(f"{server.url}/ack", json={"id": "Ä1"}, headers={"Idempotency-Key": "k"})

    [request] = server.requests
    assert json.loads(request.body) == {"id": "Ä1"}
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Idempotency-Key"] == "k"
    assert (answer.status, answer.content) == (204, b"")


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_a_busy_server_is_asked_again(status):
    replies = in_turn(Reply(status=status), Reply(status=status), Reply(b"done"))
    waits = Waits()
    with (
        https_server(replies) as server,
        client(server, settings={"attempts": 3}, pause=waits) as http,
    ):
        assert http.get(server.url).content == b"done"

    assert len(waits.seconds) == 2
    assert 0.3 < waits.seconds[0] < 0.7 < waits.seconds[1] < 1.3


def test_it_is_given_up_after_the_attempts_with_what_it_said():
    with (
        https_server(lambda _: Reply(b"try tomorrow", status=503)) as server,
        client(server, settings={"attempts": 3}) as http,
        pytest.raises(TransientError, match=r"/x answered 503: .*not available.*try tomorrow"),
    ):
        http.get(f"{server.url}/x")
    assert len(server.requests) == 3


def test_retry_after_is_kept_to_in_seconds_and_as_a_date():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    replies = in_turn(
        Reply(status=429, headers={"Retry-After": "17"}),
        Reply(status=503, headers={"Retry-After": soon}),
        Reply(),
    )
    waits = Waits()
    with (
        https_server(replies) as server,
        client(server, settings={"attempts": 3}, pause=waits) as http,
    ):
        http.get(server.url)

    assert waits.seconds[0] == 17
    assert 35 < waits.seconds[1] <= 40


def test_who_wants_to_be_left_alone_for_long_is():
    waits = Waits()
    reply = Reply(status=429, headers={"Retry-After": "86400"})
    with (
        https_server(lambda _: reply) as server,
        client(server, settings={"attempts": 5}, pause=waits) as http,
        pytest.raises(TransientError, match="answered 429"),
    ):
        http.get(server.url)
    assert (len(server.requests), waits.seconds) == (1, [])


def test_a_run_that_is_told_to_stop_waits_for_no_other_try():
    with (
        https_server(lambda _: Reply(status=503)) as server,
        client(server, settings={"attempts": 5}, pause=Waits(go_on=False)) as http,
        pytest.raises(TransientError, match="503"),
    ):
        http.get(server.url)
    assert len(server.requests) == 1


def test_a_post_is_repeated_only_where_that_is_harmless():
    with (
        https_server(lambda _: Reply(status=502)) as server,
        client(server, settings={"attempts": 3}) as http,
    ):
        with pytest.raises(TransientError):
            http.post(server.url)
        once = len(server.requests)
        with pytest.raises(TransientError):
            http.post(server.url, repeatable=True)
    assert (once, len(server.requests)) == (1, 4)


def test_a_post_that_surely_had_no_effect_is_repeated():
    replies = in_turn(Reply(status=429), Reply(status=201))
    with https_server(replies) as server, client(server, settings={"attempts": 2}) as http:
        assert http.post(server.url).status == 201


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, PermanentError),
        (401, ConfigurationError),
        (403, ConfigurationError),
        (404, BadInput),
        (409, PermanentError),
        (410, BadInput),
        (422, PermanentError),
        (500, TransientError),
    ],
)
def test_a_refusal_is_told_by_its_kind_and_not_repeated(status, kind):
    with (
        https_server(lambda _: Reply(b"because", status=status)) as server,
        client(server, settings={"attempts": 3}) as http,
        pytest.raises(kind, match=rf"answered {status}: .*\(because\)"),
    ):
        http.get(server.url)
    assert len(server.requests) == 1


def test_secrets_are_in_no_error():
    with (
        https_server(
            lambda request: Reply(request.headers["Authorization"].encode(), status=403),
            credential={"token": "s3cret-t0ken"},
        ) as server,
        client(server, credential="partner") as http,
        pytest.raises(ConfigurationError) as raised,
    ):
        http.get(f"{server.url}/a?api_key=s3cret-key&page=2")
    assert "s3cret" not in str(raised.value)
    assert "/a?api_key=***&page=2" in str(raised.value)


def test_a_redirect_is_followed_on_the_same_server():
    def answer(request):
        if request.path == "/new/place":
            return Reply(b"here")
        return Reply(status=301, headers={"Location": "/new/place"})

    with https_server(answer) as server, client(server) as http:
        answered = http.get(f"{server.url}/old")
    assert (answered.content, answered.url) == (b"here", f"{server.url}/new/place")


def test_a_redirect_to_another_server_is_refused_and_nothing_is_sent_there():
    with (
        https_server(lambda _: Reply(b"gotcha")) as other,
        https_server(
            lambda _: Reply(status=302, headers={"Location": f"{other.url}/login"}),
            credential={"token": "t"},
        ) as server,
        client(server, credential="partner") as http,
        pytest.raises(PermanentError, match=rf"redirects to https://127\.0\.0\.1:{other.port}"),
    ):
        http.get(server.url)
    assert other.requests == []


def test_an_upgrade_to_https_on_the_same_host_is_followed():
    with https_server(lambda _: Reply(b"secured")) as secured:
        redirect = Reply(status=308, headers={"Location": f"{secured.url}/x"})
        with (
            https_server(lambda _: redirect, tls=False) as plain,
            client(secured, allow_http=True) as http,
        ):
            assert http.get(f"{plain.url}/x").content == b"secured"


def test_a_downgrade_to_http_is_not_followed():
    with https_server(lambda _: Reply(b"in clear"), tls=False) as plain:
        redirect = Reply(status=302, headers={"Location": f"{plain.url}/x"})
        with (
            https_server(lambda _: redirect) as secured,
            client(secured, allow_http=True) as http,
            pytest.raises(PermanentError, match="another server"),
        ):
            http.get(secured.url)
    assert plain.requests == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [(303, [("GET", b"")]), (307, [("POST", b"1")]), (308, [("POST", b"1")])],
)
def test_a_post_is_redirected_as_the_status_says(status, expected):
    def answer(request):
        if request.path == "/new":
            return Reply(b"done")
        return Reply(status=status, headers={"Location": "/new"})

    with https_server(answer) as server, client(server) as http:
        assert http.post(f"{server.url}/old", json=1).content == b"done"
    assert [(one.method, one.body) for one in server.requests[1:]] == expected


def test_redirects_without_end_are_left():
    reply = Reply(status=302, headers={"Location": "/again"})
    with (
        https_server(lambda _: reply) as server,
        client(server) as http,
        pytest.raises(PermanentError, match="redirects more than 5 times"),
    ):
        http.get(server.url)
    assert len(server.requests) == 6


def test_a_post_does_not_become_a_get_on_the_way():
    reply = Reply(status=302, headers={"Location": "/elsewhere"})
    with (
        https_server(lambda _: reply) as server,
        client(server) as http,
        pytest.raises(PermanentError, match="redirects a POST"),
    ):
        http.post(server.url, json=1)
    assert [request.method for request in server.requests] == ["POST"]


def test_a_base_url_keeps_its_credential_to_itself():
    with https_server(lambda _: Reply(), credential={"token": "t"}) as server:
        with client(server, credential="partner", base_url=f"{server.url}/api/") as http:
            http.get("orders")
            with pytest.raises(PermanentError, match="on another server"):
                http.get("https://evil.example/orders?page=2")
        assert [request.path for request in server.requests] == ["/api/orders"]


@pytest.mark.parametrize(
    ("url", "kind", "said"),
    [
        ("http://127.0.0.1/", ConfigurationError, "only https"),
        ("https://user:pw@127.0.0.1/", ConfigurationError, "a user or password inside a URL"),
        ("ftp://127.0.0.1/", BadInput, "no URL of a web server"),
        ("/orders", BadInput, "no URL of a web server"),
        ("https://127.0.0.1:99999/", BadInput, "no URL"),
        ("https://xn--/", BadInput, "no URL"),
    ],
)
def test_urls_that_are_never_asked(url, kind, said):
    with (
        HttpClient(client_settings(), correlation_id="") as http,
        pytest.raises(kind, match=said) as raised,
    ):
        http.get(url)
    assert "pw" not in str(raised.value)


def test_a_credential_does_not_travel_in_clear():
    settings = client_settings(credentials={"partner": {"token": "t"}})
    with (
        HttpClient(settings, correlation_id="", credential="partner", allow_http=True) as http,
        pytest.raises(ConfigurationError, match="not sent over http"),
    ):
        http.get("http://shop.example/")


def test_an_unknown_credential_names_the_nearest():
    settings = client_settings(credentials={"partner": {"token": "t"}})
    with pytest.raises(ConfigurationError, match="did you mean 'partner'"):
        HttpClient(settings, correlation_id="", credential="partnr")


def test_a_certificate_of_an_unknown_authority_is_refused_at_once():
    waits = Waits()
    with (
        https_server(lambda _: Reply()) as server,
        HttpClient(client_settings(attempts=3), correlation_id="", pause=waits) as http,
        pytest.raises(ConfigurationError, match="not trusted: unable to get local issuer"),
    ):
        http.get(server.url)
    assert (server.requests, waits.seconds) == ([], [])


def test_a_certificate_for_another_name_is_refused():
    with (
        https_server(lambda _: Reply(), hosts=("elsewhere.example",)) as server,
        client(server) as http,
        pytest.raises(ConfigurationError, match=r"not trusted: .*not valid for '127\.0\.0\.1'"),
    ):
        http.get(server.url)
    assert server.requests == []


def test_a_ca_file_that_is_none_is_told_by_its_setting(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    with pytest.raises(ConfigurationError, match=r"CLIENTS__CA_FILE: .*no PEM file"):
        HttpClient(client_settings(ca_file=file), correlation_id="").__enter__()


def test_nobody_listening_is_transient():
    with (
        HttpClient(client_settings(), correlation_id="") as http,
        pytest.raises(TransientError, match="no connection"),
    ):
        http.get(f"https://127.0.0.1:{refusing_port()}/")


def test_a_post_that_was_never_sent_is_tried_again():
    waits = Waits()
    settings = client_settings(attempts=3)
    with (
        HttpClient(settings, correlation_id="", pause=waits) as http,
        pytest.raises(TransientError, match="no connection"),
    ):
        http.post(f"https://127.0.0.1:{refusing_port()}/")
    assert len(waits.seconds) == 2


@pytest.mark.parametrize("reply", [Reply(stall_before=True), Reply(b"x" * 100, stall_after=50)])
def test_a_server_that_falls_silent_is_given_up(reply):
    began = time.monotonic()
    with (
        https_server(lambda _: reply) as server,
        client(server, settings={"read_timeout": "1s"}) as http,
        pytest.raises(TransientError, match="silent for 1s"),
    ):
        http.get(server.url)
    assert time.monotonic() - began < 15


def test_a_body_that_drips_forever_is_given_up_after_the_whole_time():
    waits = Waits()
    with (
        https_server(lambda _: Reply(b"x" * 10_000, drip=0.05)) as server,
        client(server, settings={"total_timeout": "1s", "attempts": 3}, pause=waits) as http,
        pytest.raises(TransientError, match="not done within 1s"),
    ):
        http.get(server.url)
    assert waits.seconds == []


def test_headers_that_drip_forever_are_given_up_after_the_whole_time():
    with (
        web_server(mode=DRIP) as server,
        HttpClient(client_settings(total_timeout="1s"), correlation_id="", allow_http=True) as http,
        pytest.raises(TransientError, match="not done within 1s"),
    ):
        http.get(server.url)


def test_a_body_that_was_cut_off_is_asked_for_again():
    replies = in_turn(Reply(b"x" * MIB, cut_after=1000), Reply(b"y" * MIB))
    with https_server(replies) as server, client(server, settings={"attempts": 2}) as http:
        assert http.get(server.url).content == b"y" * MIB


def test_a_body_that_is_always_cut_off_is_no_answer(tmp_path):
    target = tmp_path / "stock.csv"
    with (
        https_server(lambda _: Reply(b"x" * MIB, cut_after=MIB // 2)) as server,
        client(server) as http,
    ):
        with pytest.raises(TransientError, match="cut"):
            http.get(server.url)
        with pytest.raises(TransientError, match="cut"):
            http.download(server.url, target, limit=2 * MIB)
    assert list(tmp_path.iterdir()) == []


def test_more_than_the_limit_is_refused_as_it_comes(tmp_path):
    with https_server(lambda _: Reply(b"x" * 1001)) as server, client(server) as http:
        with pytest.raises(BadInput, match="larger than 1,000 bytes"):
            http.get(server.url, limit=1000)
        with pytest.raises(BadInput, match="larger than 1,000 bytes"):
            http.download(server.url, tmp_path / "x", limit=1000)
        assert len(http.get(server.url, limit=1001).content) == 1001
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_announced_as_larger_than_the_limit_is_not_waited_for(tmp_path):
    reply = Reply(b"x" * 10, length=1001, stall_after=10)
    with (
        https_server(lambda _: reply) as server,
        client(server, settings={"read_timeout": "30s"}) as http,
        pytest.raises(BadInput, match="larger than 1,000 bytes"),
    ):
        http.download(server.url, tmp_path / "x", limit=1000)


def test_a_packed_answer_is_unpacked_and_a_bomb_is_not():
    replies = in_turn(gzipped(b"[1]"), gzipped(bytes(50 * MIB)))
    with https_server(replies) as server, client(server) as http:
        assert http.get(server.url).json() == [1]
        with pytest.raises(BadInput, match="larger than 1,048,576 bytes"):
            http.get(server.url, limit=MIB)


def test_a_packed_answer_that_was_cut_off_is_none():
    whole = gzipped(b"[1, 2, 3]" * 1000)
    reply = Reply(whole.body[:-20], headers=whole.headers)
    with (
        https_server(lambda _: reply) as server,
        client(server) as http,
        pytest.raises(TransientError, match="cut off"),
    ):
        http.get(server.url)


def test_an_encoding_that_was_not_asked_for_is_refused():
    reply = Reply(b"x", headers={"Content-Encoding": "br"})
    with (
        https_server(lambda _: reply) as server,
        client(server) as http,
        pytest.raises(PermanentError, match="encoding 'br', not asked for"),
    ):
        http.get(server.url)


def test_an_answer_that_nothing_has_changed_is_one():
    with https_server(lambda _: Reply(status=304)) as server, client(server) as http:
        answer = http.get(server.url, headers={"If-None-Match": '"1"'})
    assert (answer.status, answer.content) == (304, b"")


@pytest.mark.parametrize(
    ("body", "headers", "said"),
    [
        (b"<!DOCTYPE html><title>Login</title>", {}, "answered with an HTML page"),
        (b"<p>Login</p>", {"Content-Type": "text/html; charset=utf-8"}, "with an HTML page"),
        (b"", {}, "answered with nothing"),
        (b'{"a": ', {}, "is no JSON: .* in line 1"),
        (b'{"a": NaN}', {}, "NaN is no JSON"),
        (b"\xff\xfe\xfd", {}, "is no JSON"),
        (b"[" * 100_000, {}, "is no JSON"),
    ],
)
def test_what_is_no_json_is_called_by_its_name(body, headers, said):
    with https_server(lambda _: Reply(body, headers=headers)) as server, client(server) as http:
        answer = http.get(f"{server.url}/orders")
    with pytest.raises(BadInput, match=rf"/orders answered.*{said}|{said}"):
        answer.json()


def test_a_download_is_there_only_when_it_is_complete(tmp_path):
    target = tmp_path / "stock.csv"
    body = b"0123456789" * 200_000
    with https_server(lambda _: Reply(body)) as server, client(server) as http:
        answer = http.download(server.url, target, limit=10 * MIB)

    assert (answer.status, answer.content) == (200, b"")
    assert target.read_bytes() == body
    assert list(tmp_path.iterdir()) == [target]


def test_an_upload_streams_and_is_repeated(tmp_path):
    source = tmp_path / "export.csv"
    source.write_bytes(b"0123456789" * 200_000)
    replies = in_turn(Reply(status=503), Reply(status=201))
    with https_server(replies) as server, client(server, settings={"attempts": 2}) as http:
        assert http.upload(f"{server.url}/in/export.csv", source).status == 201

    assert [request.method for request in server.requests] == ["PUT", "PUT"]
    assert server.requests[1].body == source.read_bytes()


def test_requests_are_kept_apart():
    waits = Waits()
    with (
        https_server(lambda _: Reply()) as server,
        client(server, per_second=0.1, pause=waits) as http,
    ):
        for _ in range(3):
            http.get(server.url)
    first, second = waits.seconds
    assert 5 < first <= 10
    assert 15 < second <= 20, "this pause does not sleep, so its turn is one more away"


def test_a_run_told_to_stop_asks_no_more():
    with https_server(lambda _: Reply()) as server:
        with client(server, per_second=0.1, pause=Waits(go_on=False)) as http:
            http.get(server.url)
            with pytest.raises(Interrupted, match="told to stop before"):
                http.get(server.url)
        assert len(server.requests) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "10.1"])
def test_only_public_addresses_are_asked_where_a_stranger_wrote_the_url(host):
    with https_server(lambda _: Reply()) as server:
        with (
            client(server, public_only=True) as http,
            pytest.raises(BadInput, match="not a public address"),
        ):
            http.get(f"https://{host}:{server.port}/")
        assert server.requests == []


def test_a_proxy_of_the_environment_is_not_used(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{refusing_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{refusing_port()}")
    with https_server(lambda _: Reply(b"direct")) as server, client(server) as http:
        assert http.get(server.url).content == b"direct"


def test_every_failure_is_one_of_ours():
    """Garbage instead of HTTP, in each place of an answer."""
    import socket

    garbage = [b"", b"\x00" * 64, b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nBad Header\r\n\r\n"]
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for answer in garbage:
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        for _ in garbage:
            with (
                HttpClient(client_settings(), correlation_id="", allow_http=True) as http,
                pytest.raises(CronopsError, match="cut"),
            ):
                http.get(url)
        thread.join()

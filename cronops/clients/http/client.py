"""Asks a web server: tries again where that helps, and takes in only so much for so long."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urljoin

from cronops import __version__
from cronops.clients.credentials import authorization, find_credential, plain
from cronops.clients.http.answer import Answer
from cronops.clients.http.status import REDIRECTS, Unanswered
from cronops.clients.http.taking import Take, blocks_of, into_file, into_memory, raise_for_status
from cronops.clients.http.urls import Content, checked, method_after, origin, redirected, shown
from cronops.clients.patience import Deadline, Pace, Pause, TimeUp, backoff, sleep
from cronops.clients.tls import tls_context
from cronops.errors import Interrupted, PermanentError, TransientError

if TYPE_CHECKING:
    import httpx

    from cronops.config import Settings

LIMIT = 16 << 20
"""Most bytes of an answer that are taken into memory, where the caller does not say."""
_MOST_REDIRECTS = 5
# A server that wants to be left alone for longer is asked again by the next run.
_LONGEST_RETRY_AFTER = 120.0


class HttpClient:
    """One server, or several, asked over HTTPS by one thread at a time.

    Raises of every request: `TransientError` where the network or the server failed;
    `ConfigurationError` for a certificate that is not trusted, 401 and 403; `BadInput` for 404,
    410 and what is larger than its limit; `PermanentError` for any other refusal and for a
    redirect to another server. Errors name the URL without what looks secret in it.

    GET, HEAD and PUT are repeated up to `clients.attempts` times; POST only where it is
    `repeatable` or surely had no effect. A server's `Retry-After` is kept to; one of more than
    two minutes ends the tries. `pause` sleeps, and returns False where the run is to stop;
    `per_second` keeps requests that far apart, a `pace` those of several clients together;
    `public_only` refuses every address that is not a public one, for URLs that somebody else wrote.
    `secrets` are what else errors do not repeat, such as a key that goes in a header of its own.
    """

    def __init__(
        self,
        settings: "Settings",
        *,
        correlation_id: str,
        credential: str | None = None,
        base_url: str = "",
        allow_http: bool = False,
        public_only: bool = False,
        pause: Pause | None = None,
        per_second: float | None = None,
        pace: Pace | None = None,
        secrets: Collection[str] = (),
    ) -> None:
        self._settings = settings
        self._credential = find_credential(settings, credential) if credential else None
        self._base_url = base_url
        self._allow_http = allow_http
        self._public_only = public_only
        self._pause = pause or sleep
        self._pace = pace or Pace(per_second)
        self._further_secrets = tuple(secrets)
        self._deadline: Deadline | None = None
        self._headers = {
            "User-Agent": f"cronops/{__version__}",
            "Accept-Encoding": "gzip, deflate",
            "X-Correlation-ID": quote(correlation_id, safe="!#$&'()*+,/:;=?@[]{}|~"),
        }
        if self._credential is not None:
            self._headers["Authorization"] = authorization(credential or "", self._credential)
        self._client: httpx.Client | None = None

    def __enter__(self) -> Self:
        import httpx

        from cronops.clients.http.network import transport

        limits = self._settings.clients
        self._client = httpx.Client(
            transport=transport(
                tls_context(self._settings), self._bound, public_only=self._public_only
            ),
            timeout=httpx.Timeout(
                limits.read_timeout.total_seconds(),
                connect=limits.connect_timeout.total_seconds(),
            ),
            trust_env=False,
        )
        self._client.headers.clear()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            self._client.close()

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = LIMIT,
        repeatable: bool = True,
        answers: Collection[int] = (),
    ) -> Answer:
        """Ask for `url`; the whole answer, of at most `limit` bytes unpacked.

        Not `repeatable` is what a server gives out only once: another try would get other things,
        and hide that the first ones are lost. `answers` are statuses that are no success, and are
        returned all the same.
        """
        return self._send(
            "GET",
            url,
            into_memory(limit),
            params=params,
            headers=headers,
            repeatable=repeatable,
            answers=answers,
        )

    def head(self, url: str) -> Answer:
        """What the server would say of `url`, without a body."""
        return self._send("HEAD", url, into_memory(0))

    def post(
        self,
        url: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = LIMIT,
        repeatable: bool = False,
        answers: Collection[int] = (),
    ) -> Answer:
        """Send JSON or bytes; `repeatable` where the server bears the same request twice.

        `answers` are statuses that are no success, and are returned all the same.
        """
        sent = dict(headers or {})
        if json is not None:
            from json import dumps

            content = dumps(json).encode()
            sent = {"Content-Type": "application/json", **sent}
        return self._send(
            "POST",
            url,
            into_memory(limit),
            headers=sent,
            content=content or b"",
            repeatable=repeatable,
            answers=answers,
        )

    def download(self, url: str, target: Path, *, limit: int) -> Answer:
        """Fetch `url` into the file `target`, which is there only once it is complete."""
        take = into_file(target, limit)
        return self._send("GET", url, take, headers={"Accept-Encoding": "identity"})

    def upload(self, url: str, source: Path, *, headers: Mapping[str, str] | None = None) -> Answer:
        """PUT the file `source` at `url`, streaming."""
        size = source.stat().st_size
        sent = {
            "Content-Type": "application/octet-stream",
            **(headers or {}),
            "Content-Length": str(size),
        }
        return self._send(
            "PUT", url, into_memory(LIMIT), headers=sent, content=lambda: blocks_of(source)
        )

    def _send(
        self,
        method: str,
        url: str,
        take: Take,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        content: Content = None,
        repeatable: bool = True,
        answers: Collection[int] = (),
    ) -> Answer:
        url = self._absolute(url, params)
        sent = {**self._headers, **(headers or {})}
        failures = 0
        while True:
            try:
                return self._follow(method, url, take, sent, content, answers)
            except TransientError as error:
                failures += 1
                if not _may_repeat(error, repeatable):
                    raise
                if failures >= self._settings.clients.attempts:
                    raise
                wait = error.after if isinstance(error, Unanswered) else None
                if not self._pause(max(wait or 0.0, backoff(failures))):
                    raise

    def _follow(
        self,
        method: str,
        url: str,
        take: Take,
        headers: Mapping[str, str],
        content: Content,
        answers: Collection[int],
    ) -> Answer:
        from cronops.clients.http.trouble import told

        asked = shown(url)
        deadline = Deadline(self._settings.clients.total_timeout, f"{method} {asked}")
        for _ in range(_MOST_REDIRECTS + 1):
            self._keep_apart(asked)
            self._deadline = deadline
            with (
                told(shown(url), self._settings.clients, deadline),
                self._open(method, url, headers, content) as response,
            ):
                location = response.headers.get("location")
                if response.status_code not in REDIRECTS or location is None:
                    if response.status_code not in answers:
                        raise_for_status(response, shown(url), self._secrets())
                    body = take(response, deadline)
                    return Answer(response.status_code, response.headers, body, url)
                method, content = method_after(response.status_code, method, content, shown(url))
                url = redirected(url, location)
                self._check(url)
        raise PermanentError(f"{asked} redirects more than {_MOST_REDIRECTS} times")

    @contextmanager
    def _open(
        self, method: str, url: str, headers: Mapping[str, str], content: Content
    ) -> Iterator["httpx.Response"]:
        if self._client is None:
            raise RuntimeError("an HttpClient is used in a `with` block")
        sent = content() if callable(content) else content
        with self._client.stream(method, url, headers=dict(headers), content=sent) as response:
            yield response

    def _absolute(self, url: str, params: Mapping[str, Any] | None) -> str:
        url = urljoin(self._base_url, url) if self._base_url else url
        if params:
            from urllib.parse import urlencode

            given = {name: value for name, value in params.items() if value is not None}
            url += ("&" if "?" in url else "?") + urlencode(given, doseq=True)
        self._check(url)
        return url

    def _check(self, url: str) -> None:
        has_credential = self._credential is not None
        checked(url, allow_http=self._allow_http, with_credential=has_credential)
        if has_credential and self._base_url and origin(url) != origin(self._base_url):
            raise PermanentError(
                f"{shown(url)} is on another server than {shown(self._base_url)}, whose "
                "credential is not given to it"
            )

    def _keep_apart(self, asked: str) -> None:
        wait = self._pace.turn()
        if wait > 0 and not self._pause(wait):
            raise Interrupted(f"told to stop before {asked} was asked")

    def _bound(self, seconds: float) -> float:
        return self._deadline.within(seconds) if self._deadline is not None else seconds

    def _secrets(self) -> list[str]:
        if self._credential is None:
            return [*self._further_secrets]
        known = plain(self._credential.password), plain(self._credential.token)
        return [*known, *self._further_secrets]


def _may_repeat(error: TransientError, repeatable: bool) -> bool:
    if isinstance(error, TimeUp):
        return False
    if not isinstance(error, Unanswered):
        return repeatable
    too_long = error.after is not None and error.after > _LONGEST_RETRY_AFTER
    return error.worth_repeating and not too_long and (repeatable or error.not_processed)

"""What a platform's configuration may say, checked when it is set and again when it is used."""

import json
from datetime import timedelta
from difflib import get_close_matches
from posixpath import normpath
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    model_validator,
)
from pydantic import ConfigDict as Config

from cronops.durations import parse_duration
from cronops.errors import ConfigurationError
from cronops.jobs.platform.formats.mapping import LineNames, OrderNames, Reading, XmlNames

_MEBIBYTE = 1 << 20


def _web_address(text: str) -> str:
    if not text.isprintable() or " " in text:
        raise ValueError("has blanks or control characters, which no URL has")
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("must be a URL such as https://api.example.com/orders")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user or password inside a URL is refused; name a credential instead")
    return text


def _beside(directory: str) -> str:
    if normpath(directory) == ".":
        raise ValueError("must be another directory, or what is moved there is read once more")
    return directory


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Word = Annotated[str, Field(min_length=1, max_length=200)]
Header = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$")]
Beside = Annotated[Word, AfterValidator(_beside)]


class OverHttp(Reading):
    """What is said of every platform that is asked over HTTPS."""

    url: WebAddress
    params: dict[str, str] = Field(default_factory=dict)
    """Parameters of each request; never a secret: see `token_header`."""
    token_header: Header | None = None
    """Sends the credential's token in this header instead of as a bearer token."""
    per_second: float | None = Field(None, gt=0)
    """Most requests in a second."""
    max_bytes: int = Field(16 * _MEBIBYTE, ge=1_000)
    """Largest response that is taken."""
    allow_http: bool = False
    """Also takes http://, which everybody on the way can read: for trying things out."""

    @model_validator(mode="after")
    def _is_private(self) -> Self:
        if not self.allow_http and self.url.lower().startswith("http:"):
            raise ValueError("url: http:// can be read on the way; write https://, or allow_http")
        return self


class Acknowledgement(BaseModel):
    """How a platform is told that we have an order: a POST for each."""

    model_config = Config(extra="forbid")

    url: WebAddress
    """With ``{id}`` where the order's id goes."""
    body: dict[str, Any] | None = None
    """JSON to send; ``{id}`` in its texts is the order's id."""
    parallel: int = Field(8, ge=1, le=32)
    """So many at a time."""
    already: list[Annotated[int, Field(ge=400, le=499)]] = [409, 410]
    """Statuses which say that it is acknowledged already, or needs to be no more."""
    attempts: int = Field(3, ge=1, le=100)
    """Refusals of one order, such as 404, after which it is given up; no server that is down."""

    @model_validator(mode="after")
    def _names_the_order(self) -> Self:
        if "{id}" not in self.url and "{id}" not in json.dumps(self.body):
            raise ValueError("{id} has to be in its url or its body: which order is it for?")
        return self


class RestConfiguration(OverHttp):
    """REST/JSON: changes since a time, page by page, each order acknowledged."""

    since_param: Word = "since"
    since_format: Literal["iso", "seconds"] = "iso"
    cursor_param: Word = "cursor"
    limit_param: Word | None = "limit"
    page_size: int = Field(100, ge=1, le=10_000)
    max_pages: int = Field(1_000, ge=1)
    """Of one run; the next one goes on."""
    ordered: bool = True
    """Whether orders come in the order of their last change, so that each page is progress."""
    overlap: Duration = timedelta(minutes=10)
    """So much before the last known change is asked for again: clocks differ."""
    first_look_back: Duration = timedelta(days=7)
    """How far back the first pull goes."""
    acknowledge: Acknowledgement | None = None


class XmlFeedConfiguration(OverHttp):
    """XML over HTTPS: each answer holds what was unread, and marks it as read."""

    format: Literal["xml", "opentrans", "json"] = "xml"
    fields: OrderNames = Field(default_factory=XmlNames)
    max_fetches: int = Field(100, ge=1)
    """Answers in one run at most."""


class FilesConfiguration(Reading):
    """Files in a directory, or behind SFTP, FTPS, FTP; moved away when they are stored."""

    location: Word
    """``sftp://host/inbound``, or a directory below `platform.root`."""
    format: Literal["opentrans", "xml", "json"] = "opentrans"
    fields: OrderNames = Field(default_factory=XmlNames)
    pattern: Word = "*"
    backup: Beside = "backup"
    """The directory beside them where files go that are stored."""
    rejected: Beside = "rejected"
    """Where those go that could not be read twice over."""
    max_bytes: int = Field(64 * _MEBIBYTE, ge=1_000)


def configured(model: type[BaseModel], config: Any, platform: str) -> Any:
    """An instance of `model`. Raises `ConfigurationError` that names each wrong field."""
    if isinstance(config, dict) and config.get("format") == "json" and "fields" in _names(model):
        # The names of JSON are the defaults where JSON is read.
        config = config | {"fields": OrderNames.model_validate(config.get("fields", {}))}
    elif isinstance(config, dict) and "format" in _names(model):
        config = config | {"fields": XmlNames.model_validate(config.get("fields", {}))}
    try:
        return model.model_validate(config)
    except ValidationError as error:
        problems = "; ".join(_problem(one, model) for one in error.errors(include_url=False))
        raise ConfigurationError(
            f"the configuration of platform {platform!r} is wrong: {problems}; "
            f"see: cronops platform set --help"
        ) from None


def _problem(error: Any, model: type[BaseModel]) -> str:
    path = ".".join(map(str, error["loc"])) or "the whole"
    if error["type"] == "extra_forbidden":
        word = str(error["loc"][-1])
        near = get_close_matches(word, _names(model) | _names(OrderNames) | _names(LineNames), n=1)
        return f"{path}: there is no such key" + (f"; did you mean {near[0]!r}?" if near else "")
    return f"{path}: {error['msg']}"


def _names(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)

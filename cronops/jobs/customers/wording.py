"""The mail of a reminder: what staff have written, in the layout that IT has made.

The content is plain text with placeholders in braces; its first line is the subject. The layouts
are jinja2 templates of text and of HTML. Each file is looked for by tenant and language.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from cronops.clients.mail import Mail, mailbox
from cronops.errors import CronopsError

if TYPE_CHECKING:
    from jinja2 import Template

    from cronops.config.rooms import CustomersSettings
    from cronops.jobs.customers.due import Due, Tenant

PLACEHOLDERS = ("firstname", "lastname", "tenant", "license", "valid_until", "days")
_OURS = "cronops.jobs.customers"
_LAST_RESORT = "en"
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]*)\}")
_SUBJECT = re.compile(r"(?i)\s*subject:(?P<subject>[^\n]*)\n(?P<body>.*)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MOST_BYTES = 1_000_000
_DATES = {"de": "%d.%m.%Y", "fr": "%d/%m/%Y", "nl": "%d-%m-%Y"}


class WordingError(CronopsError):
    """What a tenant's mails are made of is not fit for use; other tenants' may be."""


class _Content(NamedTuple):
    subject: str
    paragraphs: tuple[str, ...]
    language: str


class Wording:
    """Makes the mails of one tenant."""

    def __init__(self, settings: "CustomersSettings", tenant: "Tenant") -> None:
        """Raises `WordingError` where the tenant has no sender."""
        if not _NAME.fullmatch(tenant.code):
            raise WordingError("its code must be letters, digits, _ and -: files are named so")
        self._settings = settings
        self._tenant = tenant
        self._sender = tenant.sender or settings.sender or ""
        if not self._sender:
            raise WordingError("it has no sender, and CRONOPS_CUSTOMERS__SENDER is not set")
        try:
            self._from = mailbox(self._sender)
        except ValueError as error:
            raise WordingError(f"its sender is no address: {error}") from None
        self._contents: dict[str, _Content] = {}
        self._layouts: dict[tuple[str, str], Template] = {}

    def mail(self, due: "Due") -> Mail:
        """The reminder as a mail. Raises `WordingError`; the address is not looked at."""
        language = _tidy(due.language) or _tidy(self._tenant.language) or _LAST_RESORT
        content = self._content(language)
        values = self._values(due, content.language)
        subject = _filled(content.subject, values)
        parts = {
            "subject": subject,
            "paragraphs": [_filled(one, values) for one in content.paragraphs],
            "tenant": self._tenant.name,
            "language": content.language,
            "values": values,
        }
        return Mail(
            sender=self._sender,
            to=due.email or "",
            subject=subject,
            text=self._rendered("layout.txt", content.language, parts),
            html=self._rendered("layout.html", content.language, parts),
            message_id=f"<license.{due.key}.{self._tenant.code}@{self._from.domain}>",
            headers=self._headers(due),
        )

    def _values(self, due: "Due", language: str) -> dict[str, str]:
        return {
            "firstname": _on_one_line(due.firstname),
            "lastname": _on_one_line(due.lastname),
            "tenant": _on_one_line(self._tenant.name),
            "license": str(due.license_id),
            "valid_until": due.valid_until.strftime(_DATES.get(language[:2], "%Y-%m-%d")),
            "days": str(due.days_left),
        }

    def _headers(self, due: "Due") -> Mapping[str, str]:
        url = self._settings.unsubscribe
        if url is None:
            address = quote(self._from.address, safe="@")
            return {"List-Unsubscribe": f"<mailto:{address}?subject=unsubscribe>"}
        known = {
            "tenant": self._tenant.code,
            "customer": str(due.customer_id),
            "license": str(due.license_id),
        }
        for name, value in known.items():
            url = url.replace(f"{{{name}}}", quote(value, safe=""))
        headers = {"List-Unsubscribe": f"<{url}>"}
        if url.startswith("https://"):
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return headers

    def _content(self, wanted: str) -> _Content:
        if wanted not in self._contents:
            found = self._find("content.txt", wanted)
            if found is None:
                raise WordingError(f"there is no content.txt in {wanted} or {_LAST_RESORT}")
            self._contents[wanted] = _content(*found)
        return self._contents[wanted]

    def _rendered(self, name: str, language: str, parts: Mapping[str, Any]) -> str:
        layout = self._layouts.get((name, language))
        try:
            if layout is None:
                found = self._find(name, language)
                if found is None:
                    raise WordingError(f"there is no {name}")
                layout = _environment(is_html=name.endswith(".html")).from_string(found[0])
                self._layouts[name, language] = layout
            return layout.render(parts)
        except WordingError:
            raise
        except Exception as error:
            # A template may do what raises anything: a filter on a number, a macro of itself.
            line = getattr(error, "lineno", None)
            where = f", line {line}" if line else ""
            raise WordingError(f"{name}{where}: {str(error) or type(error).__name__}") from None

    def _find(self, name: str, language: str) -> tuple[str, str, str] | None:
        """The file's text, its language, and where it is: the nearest to tenant and language."""
        chain = _chain((language, _tidy(self._tenant.language), _LAST_RESORT))
        root = self._settings.template_dir
        for spoken in (*chain, ""):
            if root is not None:
                for where in (root / self._tenant.code / spoken, root / spoken):
                    text = _read(where / name)
                    if text is not None:
                        return text, spoken or language, str(where / name)
            text = _packaged(spoken, name)
            if text is not None:
                return text, spoken or language, name
        return None


def _content(text: str, language: str, where: str) -> _Content:
    """Take content apart. Raises `WordingError` where it has no subject or knows no placeholder."""
    parts = _SUBJECT.fullmatch(text)
    if parts is None or not parts["subject"].strip() or not parts["body"].strip():
        raise WordingError(f"{where}: it must be a line 'Subject: …', an empty line, and text")
    unknown = [name for name in _PLACEHOLDER.findall(text) if name not in PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise WordingError(f"{where}: it asks for {{{unknown[0]}}}; there are {known}")
    paragraphs = (" ".join(one.split()) for one in re.split(r"\n\s*\n", parts["body"]))
    return _Content(parts["subject"].strip(), tuple(filter(None, paragraphs)), language)


def _filled(text: str, values: Mapping[str, str]) -> str:
    """What stands in braces is replaced; a name that is empty leaves no blank before a comma."""
    filled = _PLACEHOLDER.sub(lambda found: values[found[1]], text)
    return " ".join(filled.split()).replace(" ,", ",")


def _on_one_line(text: str | None) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text or "").split())


def _tidy(language: str | None) -> str:
    """``de_AT`` as ``de-at``; nothing where it is no language."""
    tidy = (language or "").strip().lower().replace("_", "-")
    return tidy if _NAME.fullmatch(tidy) else ""


def _chain(languages: Iterable[str]) -> Iterator[str]:
    """Each language, then the one it is a variety of; none twice."""
    seen = set()
    for language in languages:
        for one in (language, language.partition("-")[0]):
            if one and one not in seen:
                seen.add(one)
                yield one


def _read(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise WordingError(f"{path}: {error.strerror}") from None
    if len(content) > _MOST_BYTES:
        raise WordingError(f"{path}: it has more than {_MOST_BYTES:,} bytes")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise WordingError(f"{path}: it is not UTF-8") from None


@cache
def _packaged(language: str, name: str) -> str | None:
    place = (
        files(_OURS) / "templates" / language / name
        if language
        else (files(_OURS) / "templates" / name)
    )
    return place.read_text("utf-8") if place.is_file() else None


@cache
def _environment(*, is_html: bool) -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        autoescape=is_html, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )

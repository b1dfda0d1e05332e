"""One regular expression that reads a well-formed line of a supplier's CSV file.

Most lines of most files are well formed: for them one `findall` a block does the splitting and
the checking at once, in C. A line that does not fit is not wrong; it is read with more patience.
"""

import re
from collections.abc import Mapping, Sequence

from cronops.jobs.suppliers.setting import ImportSetting

_WORD = r"[^\s{off}]{{1,25}}+(?: [^\s{off}]{{1,25}}+){{0,2}}+"
_CONTENT: Mapping[str, str] = {
    "sku": rf"({_WORD})",
    "qty": r">?([0-9]{{1,6}}+)\+?",
    "price": r"([0-9]{{1,8}}+(?:{point}[0-9]{{1,4}}+)?|)",
    "delivery_days": r"([0-9]{{1,3}}+|)",
    # Of thirteen zeros the check digit is right.
    "ean": r"((?!0{{13}})[0-9]{{13}}|)",
    "currency": r"(?:{currency})",
}
_IDENTIFIER = rf"({_WORD}|)"


def row_pattern(
    setting: ImportSetting, fields: Sequence[str | None], is_quoted: Sequence[bool]
) -> re.Pattern[str]:
    """The pattern of a whole line, with a group for each field but the currency, in their order.

    `fields` names what each column holds, or None. No group holds what the COPY's text format,
    or the change of a decimal comma into a point, would have to escape.
    """
    delimiter, quote = re.escape(setting.delimiter), re.escape(setting.quote)
    escaped = r"\\\x00-\x1f\x7f\u2028\u2029\ufffd" + delimiter + quote
    values = {
        "off": escaped + ("," if setting.decimal == "," else ""),
        "point": re.escape(setting.decimal),
        "currency": re.escape(setting.currency),
    }
    columns = []
    for field, quoted in zip(fields, is_quoted, strict=True):
        if field is not None:
            content = _CONTENT.get(field, _IDENTIFIER).format_map(values)
        elif quoted:
            content = rf"[^{quote}\x00\r\n\ufffd]*+"
        else:
            # A quote further on is a letter like any other: 8x18".
            anything = r"\x00\r\n\ufffd" + delimiter
            content = rf"(?:[^{quote}{anything}][^{anything}]*+)?+"
        columns.append(f"{quote}{content}{quote}" if quoted else content)
    return re.compile(rf"^{delimiter.join(columns)}\r?\n", re.MULTILINE)


def quoted_columns(line: str, setting: ImportSetting) -> list[bool]:
    """Of each column, whether that line has it in quotes."""
    if not setting.quote:
        return [False] * (line.count(setting.delimiter) + 1)
    delimiter, quote = re.escape(setting.delimiter), re.escape(setting.quote)
    column = rf"({quote})?(?(1)(?:[^{quote}]|{quote}{quote})*{quote}|[^{delimiter}]*)"
    found = re.findall(rf"{column}(?:{delimiter}|$)", line.rstrip("\r\n"))
    return [bool(one) for one in found]

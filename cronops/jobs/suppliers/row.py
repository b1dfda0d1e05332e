"""A row of a supplier's file, read field by field, as a line for COPY."""

from collections.abc import Mapping, Sequence

from cronops.jobs.suppliers import fields
from cronops.jobs.suppliers.setting import IDENTIFIERS, ImportSetting
from cronops.jobs.suppliers.tally import Tally
from cronops.jobs.suppliers.text_blocks import REPLACEMENT


class RowReader:
    """Makes of a row's texts a line of the staging table; counts what is wrong with it."""

    def __init__(self, setting: ImportSetting, order: Sequence[str], tally: Tally) -> None:
        self._setting, self._order, self._tally = setting, order, tally
        self._numbers = fields.Numbers(setting.decimal, setting.thousands)

    def read(self, texts: Mapping[str, str], line: int, raw: str) -> str:
        """The line for COPY, with its line end; nothing where the row cannot be told at all.

        A row that is rejected, but says which SKU it is of, is staged without a quantity: what
        is in stock of that one is not known, which is not the same as nothing.
        """
        notes: list[str] = []
        try:
            values = self._values(texts, notes)
        except fields.Refused as refused:
            return self.reject(texts, line, str(refused), raw)
        for note in notes:
            self._tally.note(line, note, raw)
        self._tally.taken += 1
        return self._copy_line(values)

    def reject(self, texts: Mapping[str, str], line: int, reason: str, raw: str) -> str:
        """Count the row as rejected; the line that says that its stock is not known."""
        self._tally.reject(line, reason, raw)
        try:
            sku = fields.name(texts.get("sku", ""), of="sku")
        except fields.Refused:
            return ""
        return self._copy_line({"sku": sku}) if sku and REPLACEMENT not in sku else ""

    def _values(self, texts: Mapping[str, str], notes: list[str]) -> dict[str, str]:
        for text in texts.values():
            if REPLACEMENT in text:
                raise fields.Refused("encoding")
            if "\x00" in text:
                raise fields.Refused("nul")
        sku = fields.name(texts["sku"], of="sku")
        if not sku:
            raise fields.Refused("sku_missing")
        currency = texts.get("currency", "").strip().upper()
        if currency not in ("", self._setting.currency):
            raise fields.Refused("currency")
        yes = self._setting.yes_qty
        pieces, note = fields.quantity(texts["qty"], self._numbers, yes=yes)
        said: list[str | None] = [note]
        values = {"sku": sku, "qty": str(pieces)}
        if "price" in texts:
            amount = fields.price(texts["price"], self._numbers)
            values["price"] = "" if amount is None else str(amount)
        if "delivery_days" in texts:
            days, note = fields.delivery_days(texts["delivery_days"])
            said.append(note)
            values["delivery_days"] = "" if days is None else str(days)
        for identifier in IDENTIFIERS:
            text = texts.get(identifier, "")
            if not text:
                continue
            if identifier == "ean":
                number, note = fields.ean(text)
                values["ean"] = number or ""
                said.append(note)
            else:
                values[identifier] = fields.name(text, of=identifier)
        notes += [one for one in said if one is not None]
        return values

    def _copy_line(self, values: Mapping[str, str]) -> str:
        texts = (values.get(field, "").replace("\\", "\\\\") for field in self._order)
        return "\t".join(texts) + "\n"

"""What is found before any rule can be asked: the ids of a file that cannot be read, and why.

None of these can be waived. They are listed beside the rules, so that every id that a check may
show is explained.
"""

from typing import NamedTuple

from cronops.schedules.findings import Severity


class Explained(NamedTuple):
    """An id that is no rule's, explained as rules are."""

    id: str
    title: str
    """What holds where nothing is found: ``The file is UTF-8 text``."""
    why: str
    instead: str
    severity: Severity = Severity.ERROR


_TEXT = (
    Explained(
        "file-too-large",
        "The file has 16 MiB at most",
        "Ten thousand schedules take three; what is larger is some other file.",
        "give the path of a schedules file",
    ),
    Explained(
        "not-utf-8",
        "The file is UTF-8 text",
        "YAML is; other encodings are read differently by different tools.",
        "save it as UTF-8",
    ),
    Explained(
        "empty-file",
        "The file says something",
        "An empty file would delete every schedule.",
        "start it with 'version: 1' and a list of schedules",
    ),
    Explained(
        "yaml-syntax",
        "The file is YAML",
        "Nothing can be told of a file that cannot be parsed.",
        "correct it where the finding points; a value that begins with * or @ stands in quotes",
    ),
    Explained(
        "yaml-control-character",
        "The file holds no control characters",
        "YAML forbids them; they come from damaged or binary files.",
        "take the character out",
    ),
    Explained(
        "yaml-tab",
        "Lines are indented with blanks",
        "YAML forbids tabs there: how wide they are is anybody's guess.",
        "indent with blanks",
    ),
    Explained(
        "yaml-documents",
        "The file holds one document",
        "Most tools would read the first and pass over the rest.",
        "keep one, without a line of three hyphens",
    ),
    Explained(
        "yaml-tag",
        "Nothing is tagged",
        "Tags make parsers construct objects, and are read differently by each.",
        "leave the tag out; write text in quotes",
    ),
    Explained(
        "yaml-merge",
        "There are no merge keys",
        "Parsers disagree about << since YAML 1.2 dropped it.",
        "put what is common under defaults or environments",
    ),
    Explained(
        "yaml-key",
        "Keys are plain text",
        "A list or a mapping as a key has no counterpart in JSON.",
        "write one word",
    ),
    Explained(
        "duplicate-key",
        "No key stands twice in a mapping",
        "Most parsers keep one of the two without a word.",
        "keep one of the two",
    ),
    Explained(
        "alias-bomb",
        "Aliases save typing and do no more",
        "A few lines of aliases can expand to more than a machine's memory.",
        "write repeated parts once, under defaults or environments",
    ),
    Explained(
        "too-deep",
        "Nothing is nested deeper than 30 levels",
        "The file's own shape needs ten.",
        "write it flatter",
    ),
)
_SHAPE = (
    Explained(
        "not-a-mapping",
        "The file is a mapping at its top",
        "version, defaults, environments and schedules are looked up there.",
        "start it with 'version: 1', 'defaults:', 'environments:' and 'schedules:'",
    ),
    Explained(
        "unknown-key",
        "Every key is known",
        "A misspelt key would be passed over, and the field keep its default.",
        "correct the key, or take it out; docs/schedule-fields.md lists them all",
    ),
    Explained(
        "missing-key",
        "What is needed is there",
        "These keys have no default that could be right.",
        "add the key",
    ),
    Explained(
        "wrong-type",
        "Values are of the type the field has",
        "YAML reads 010, 1e3 and true as no text; Kubernetes would refuse them as such.",
        "write text in quotes, numbers and true or false without",
    ),
    Explained(
        "bad-value",
        "Values lie where the field allows",
        "The API would refuse the object, or nobody knows what was meant.",
        "write one of the values that the finding names",
    ),
    Explained(
        "more-findings",
        "Not more than a hundred keys and values are wrong",
        "A file with more misfits is not a schedules file.",
        "correct the ones above first",
    ),
    Explained(
        "unknown-environment",
        "The environment that is asked for is in the file",
        "Nothing could be checked or rendered for another.",
        "name one of the file's environments",
    ),
)
_WAIVERS = (
    Explained(
        "waiver-unknown",
        "Waivers name rules that exist",
        "A misspelt waiver waives nothing.",
        "name a rule as 'cronops schedules rules' does",
    ),
    Explained(
        "waiver-refused",
        "Only what would run may be waived",
        "What the API rejects stays rejected; a waiver would only move the failure.",
        "take the waiver out, and correct what the rule finds",
    ),
    Explained(
        "waiver-unexplained",
        "Waivers give a reason of ten letters or more",
        "Whoever reads the file next year has to judge whether it still holds.",
        "say why the rule may be broken here",
    ),
    Explained(
        "waiver-unused",
        "Waivers waive something",
        "A waiver that nothing needs will hide the next mistake.",
        "take the waiver out",
        Severity.WARNING,
    ),
)

STRUCTURAL = (*_TEXT, *_SHAPE, *_WAIVERS)
"""In the order of the check."""

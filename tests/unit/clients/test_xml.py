"""Reading XML of strangers: what comes out, and what is refused before it costs anything."""

import tracemalloc
from io import BytesIO
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronops.clients import xml
from cronops.clients.xml import iter_elements, parse
from cronops.errors import BadInput

MIB = 1 << 20


def elements(text: str | bytes, tag: str = "item", **options):
    content = text.encode() if isinstance(text, str) else text
    return list(iter_elements(BytesIO(content), tag, **options))


def test_each_element_comes_complete_with_what_lies_in_it():
    found = elements(
        '<?xml version="1.0"?><list><item id="1"><sku>Ä</sku> 7</item><other/>'
        "<item><item>inner</item></item></list>"
    )

    assert [ElementTree.tostring(one, "unicode") for one in found] == [
        '<item id="1"><sku>Ä</sku> 7</item>',
        "<item><item>inner</item></item>",
    ]


def test_a_name_fits_in_any_namespace_and_a_qualified_one_in_its_own():
    text = '<l xmlns="urn:a" xmlns:b="urn:b"><item>1</item><b:item>2</b:item></l>'

    assert [one.text for one in elements(text)] == ["1", "2"]
    assert [one.text for one in elements(text, "{urn:b}item")] == ["2"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<l><item>Ä€</item></l>".encode("utf-8-sig"), "Ä€"),
        ("<l><item>Ä€</item></l>".encode("utf-16"), "Ä€"),
        ('<?xml version="1.0" encoding="windows-1252"?><item>Ä€</item>'.encode("cp1252"), "Ä€"),
        ('<?xml version="1.0" encoding="iso-8859-1"?><item>Ä</item>'.encode("latin-1"), "Ä"),
    ],
)
def test_encodings(content, text):
    assert [one.text for one in elements(content)] == [text]


def test_a_file_is_read_by_its_path_and_named_in_errors(tmp_path):
    file = tmp_path / "stock.xml"
    file.write_text("<list>\n<item>1</item>\n<item>2</list>")

    with pytest.raises(BadInput, match=r"^stock\.xml, line 3, column 10: mismatched tag$"):
        list(iter_elements(file, "item"))


ENTITY = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><l><item>&b;</item></l>'
EXTERNAL = '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l><item>&a;</item></l>'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ENTITY, "line 1: it has a document type"),
        (EXTERNAL, "line 1: it has a document type"),
        ('\n<!DOCTYPE l SYSTEM "http://evil.example/x.dtd"><l/>', "line 2: it has a document type"),
        ("<l>&unknown;</l>", "line 1, column 4: undefined entity"),
        ("", "no element found"),
        ("<l><item>", "no element found"),
        ("<l/><l/>", "junk after document element"),
        ("<html><body><p>Login<br></body></html>", "mismatched tag"),
        ("id;quantity\n1;2\n", "line 1, column 3: not well-formed"),
        ("<l>\0</l>", "not well-formed"),
        (b"<l>\xff</l>", "not well-formed"),
        ('<?xml version="1.0" encoding="klingon"?><l/>', "unknown encoding"),
        ('<?xml version="1.0" encoding="shift_jis"?><l/>', "encoding"),
        ("<a>" * 65, "line 1: more than 64 elements lie inside each other"),
        ("<a>" * 100_000, "more than 64 elements lie inside each other"),
        ("<l " + " ".join(f'a{n}="1"' for n in range(257)) + "/>", "more than 256 attributes"),
        ("<l " + " ".join(f'a{n}="1"' for n in range(1_000_000)) + "/>", "a tag is longer than"),
        ("<l>" + "".join(f"<t{n}/>" for n in range(10_001)), "more than 10,000 different names"),
        ("<l>" + "".join(f'<t a{n}="1"/>' for n in range(10_001)), "10,000 different names"),
        ("<l><!--" + "x" * 3 * MIB + "--></l>", "a tag is longer than 1,048,576 bytes"),
        ("<l><item>" + "x" * 17 * MIB, "one element is larger than 16,777,216 bytes"),
    ],
)
def test_what_is_refused(text, said):
    with pytest.raises(BadInput, match=said):
        elements(text)


def test_no_more_than_the_limit_is_read():
    content = b"<l>" + b"<item>1</item>" * 10_000 + b"</l>"
    assert len(elements(content, limit=len(content))) == 10_000
    with pytest.raises(BadInput, match="larger than 100,000 bytes"):
        elements(content, limit=100_000)
    with pytest.raises(BadInput, match=r"^the answer, line 1: it is larger than 1,000 bytes"):
        parse(content, limit=1000, name="the answer")


class Endless:
    """A document that is made as it is read."""

    def __init__(self, count: int) -> None:
        self._rows = iter([b"<list>", *[b"<item><sku>1</sku><text>abc</text></item>\n"] * count])
        self._end = b"</list>"

    def read(self, _: int) -> bytes:
        block = next(self._rows, None)
        if block is None:
            block, self._end = self._end, b""
        return block


def test_memory_does_not_grow_with_the_document():
    def peak(count: int) -> int:
        tracemalloc.start()
        assert sum(1 for _ in iter_elements(Endless(count), "item")) == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most - 8 * count  # the document's own list of rows

    assert peak(20_000) < peak(2_000) + 200_000


DOCUMENTS = [
    "<order id='1'><line/> between <line/>after</order>",
    "<a:order xmlns:a='urn:a' xmlns='urn:b' a:id='1' id='2'><line><sku>&lt;Ä&#8364;</sku></line>"
    "<!-- said --><?do it?></a:order>",
    "<l> a <![CDATA[<b>]]> c </l>",
]


@pytest.mark.parametrize("text", DOCUMENTS)
def test_a_small_document_is_parsed_as_the_standard_library_does(text):
    root = parse(text.encode(), limit=1000)
    expected = ElementTree.fromstring(text)
    assert ElementTree.tostring(root) == ElementTree.tostring(expected)
    assert [one.tag for one in root.iter()] == [one.tag for one in expected.iter()]


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=60))
def test_whatever_comes_is_an_element_or_bad_input(content):
    for document in (content, b"<l>" + content + b"</l>", b"<?xml " + content + b"?><l/>"):
        try:
            said = parse(document, limit=1000).tag
        except BadInput as error:
            said = str(error).partition("line ")[2]
        assert said


def test_the_library_that_defuses_is_imported_only_where_xml_is_read():
    assert not hasattr(xml, "DefusedXMLParser")

"""The charset that a page is read in: whatever a header or a page says, there is some text."""

from __future__ import annotations

import pytest

from crawler.checks.charset import charset_parameter, decode_page

PARAMETERS = {
    "text/html": "",
    "text/html; charset=utf-8": "utf-8",
    'text/html; Charset = "ISO-8859-1" ; x=y': "ISO-8859-1",
    "text/html; boundary=x; charset=a; charset=b": "a",
    "text/html; charset": "",
    f"text/html; charset={'9' * 5000}": "9" * 5000,
    f"text/html; charset*{'9' * 5000}=utf-8": "",
}


@pytest.mark.parametrize("header", PARAMETERS)
def test_the_parameter_of_a_header(header: str) -> None:
    """The first parameter of that name counts; one that is split into numbered parts is none."""
    assert charset_parameter(header) == PARAMETERS[header]
    assert decode_page(b"caf\xc3\xa9", header) is not None

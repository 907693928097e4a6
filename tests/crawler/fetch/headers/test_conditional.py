"""What is kept of an answer to ask for it again, and what a 304 is about."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from crawler.fetch.base import Response
from crawler.fetch.headers.conditional import is_same_resource, served_headers
from storage.model import ServedHeaders

URL = "http://cdn.example/p.jpg?signature=1"


def test_lines_of_a_list_are_one_list() -> None:
    """RFC 9110, 5.3: a server, or something between, may write each element on a line of its own."""
    headers = CIMultiDict(
        [
            ("Cache-Control", "public"),
            ("cache-control", "max-age=60"),
            ("Vary", "Accept"),
            ("Vary", "*"),
            ("ETag", "a"),
        ]
    )
    kept = served_headers(Response(URL, 200, headers))
    assert (kept.cache_control, kept.vary, kept.etag) == ("public, max-age=60", "Accept, *", "a")


@pytest.mark.parametrize(
    ("etag", "url", "answer_etag", "words"),
    [
        ('"a"', URL, None, "same"),
        (None, URL, None, "same"),
        ('"a"', "http://cdn.example/p.jpg?signature=2", None, "same"),
        ('"a"', "http://cdn.example/p.jpg?signature=2", '"a"', "same"),
        ('"a"', "http://cdn.example/p.jpg?signature=2", '"b"', "another"),
        ('W/"a"', "http://cdn.example/p.jpg?signature=2", 'W/"a"', "another"),
        (None, "http://cdn.example/p.jpg?signature=2", None, "another"),
        ('"a"', "http://cdn.example/q.jpg?signature=1", '"a"', "another"),
        ('"a"', "http://other.example/p.jpg?signature=1", '"a"', "another"),
        ('"a"', "https://cdn.example/p.jpg?signature=1", '"a"', "another"),
    ],
)
def test_a_signed_url_changes_its_query_alone(
    etag: str | None, url: str, answer_etag: str | None, words: str
) -> None:
    """A strong validator of the same host and path counts, whatever the query is."""
    headers = {"ETag": answer_etag} if answer_etag else {}
    assert is_same_resource(ServedHeaders(URL, etag=etag), Response(url, 304, headers)) is (words == "same")

"""Forms with files, as browsers send them and as no browser does."""

from __future__ import annotations

import pytest

from rolecall.values import Request
from rolecall.web.forms import Malformed
from rolecall.web.uploads import File, form_with_files, is_upload


def request(*parts: bytes, boundary: str = "; boundary=b", end: bytes = b"--b--\r\n") -> Request:
    body = b"".join(b"--b\r\n%s\r\n" % part for part in parts) + end
    headers = (("content-type", f"multipart/form-data{boundary}"),)
    return Request("POST", "/console", "", headers, body, "127.0.0.1", False, received=0.0)


def field(name: str, value: bytes, more: str = "") -> bytes:
    return f'Content-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value


def test_fields_and_files_are_told_apart() -> None:
    sent = request(
        field("csrf", b"token"),
        field("file", "user_name\r\n--b\nädä\r\n".encode(), '; filename="späte Nutzer.csv"'),
        field("other", b"", '; filename=""'),
    )
    assert is_upload(sent)
    fields, files = form_with_files(sent)
    assert (fields["csrf"], "file" in fields) == ("token", False)
    assert files == {"file": File("späte Nutzer.csv", "user_name\r\n--b\nädä\r\n".encode())}
    assert "user_name" not in repr(files)


FILE = field("file", b"x", '; filename="x"')


@pytest.mark.parametrize(
    "broken",
    [
        request(field("a", b"1"), boundary=""),
        request(field("a", b"1"), end=b""),
        request(end=b""),
        request(field("a", b"1"), field("a", b"2")),
        request(FILE, FILE),
        request(b"Content-Disposition: form-data\r\n\r\nx"),
        request(b"Content-Disposition: attachment; name=a\r\n\r\nx"),
        request(b"\r\nno headers at all"),
        request(field("a", b"\xff")),
        request(field("a", b"\0")),
        request(field("file", b"x", '; filename="a\0.csv"')),
        request(*(field(f"a{number}", b"") for number in range(21))),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(broken: Request) -> None:
    with pytest.raises(Malformed):
        form_with_files(broken)

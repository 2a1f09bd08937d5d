"""Files that are sent: a limit for the whole request, and a field for the API."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import QueryDict
from drf_spectacular.utils import extend_schema_field

from config.lib.errors import Invalid
from config.lib.fields import StrictField
from config.lib.values import BadValue, echo

# The largest file taken anywhere, and room for what is sent beside it.
MOST_BYTES = 100_000_000 + 1_000_000


class SizeLimit(FileUploadHandler):
    """Refuses what is too large before any of it is read."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803 -- Django's name
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        del input_data, META, boundary, encoding
        if content_length > MOST_BYTES:
            raise RequestDataTooBig("A request has at most 101 MB.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        del start
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the handlers after this one."""


@extend_schema_field({"type": "string", "format": "binary"})
class FileField(StrictField):
    """A file of a form; only ever sent."""

    def parse(self, data: Any) -> "UploadedFile[Any]":
        if not isinstance(data, UploadedFile):
            raise BadValue("not_a_file", "Send a file, with its name.")
        return data


def form_of(data: Any) -> Mapping[str, Any]:
    """Return the fields and files of a form; of an empty request none.

    Raises Invalid where one was sent twice.
    """
    for name, sent in data.lists() if isinstance(data, QueryDict) else ():
        if len(sent) > 1:
            raise Invalid("Send this field once.", field=echo(name), code="repeated")
    return {name: data[name] for name in data}

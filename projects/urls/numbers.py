"""How projects and reviews are called in an address."""

from django.urls import register_converter
from django.urls.converters import StringConverter


class NumberConverter(StringConverter):
    """`PRJ-12` in an address is project 12."""

    prefix = ""

    def to_python(self, value: str) -> int:  # type: ignore[override]
        return int(value.removeprefix(self.prefix))

    def to_url(self, value: int) -> str:  # type: ignore[override]
        return f"{self.prefix}{value}"


class ProjectNumberConverter(NumberConverter):
    prefix = "PRJ-"
    regex = "PRJ-[1-9][0-9]{0,17}"


class ReviewNumberConverter(NumberConverter):
    prefix = "REV-"
    regex = "REV-[1-9][0-9]{0,17}"


register_converter(ProjectNumberConverter, "project_number")
register_converter(ReviewNumberConverter, "review_number")

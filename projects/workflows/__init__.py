"""The tables that the one engine is fed with, and what they set as conditions below."""

from projects.workflows.along import GUARDS_BELOW
from projects.workflows.project import PROJECT
from projects.workflows.review import REVIEW

ALL = (PROJECT, REVIEW)

__all__ = ["ALL", "GUARDS_BELOW", "PROJECT", "REVIEW"]

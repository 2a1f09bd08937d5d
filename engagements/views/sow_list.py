"""The versions of a statement of work, each with what became of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.http import Http404

from engagements.models import ServiceRequest, SowVersion
from engagements.selectors import sows as selectors
from engagements.words import StateTag

DRAFT = StateTag("Draft", "line", "pencil")
SIGNED = StateTag("Signed", "good", "circle-check")
AWAITED = StateTag("Waits for an answer", "warn", "hourglass")
UNWANTED = StateTag("Change asked for", "warn", "message-square-quote")
SENT = StateTag("Sent", "", "send")
REPLACED = StateTag("Replaced", "", "history")


@dataclass(frozen=True)
class Version:
    """A version in the card of versions."""

    sow: SowVersion
    tag: StateTag


@dataclass(frozen=True)
class Versions:
    """All versions of a request with what became of them, read once when needed."""

    request: ServiceRequest

    @cached_property
    def all(self) -> list[SowVersion]:
        return selectors.versions_of(self.request)

    def __iter__(self) -> Iterator[Version]:
        return iter([Version(sow, self._tag(sow)) for sow in self.all])

    def __bool__(self) -> bool:
        return bool(self.all)

    @cached_property
    def _agreed(self) -> frozenset[str]:
        return selectors.agreed_digests(self.request)

    @cached_property
    def _unwanted(self) -> frozenset[str]:
        return selectors.rejected_digests(self.request)

    @cached_property
    def _awaited(self) -> frozenset[int]:
        return selectors.open_link_versions(self.request)

    def _tag(self, sow: SowVersion) -> StateTag:
        if not sow.is_frozen:
            return DRAFT
        if sow.digest in self._agreed:
            return SIGNED
        if sow.pk in self._awaited:
            return AWAITED
        if sow.digest in self._unwanted:
            return UNWANTED
        return SENT if sow == self.all[0] else REPLACED

    def numbered(self, text: str) -> SowVersion | None:
        """Return the version of this number; 404 for one that is not there."""
        if not text:
            return None
        found = next((sow for sow in self.all if str(sow.number) == text), None)
        if found is None:
            raise Http404
        return found

    def before(self, sow: SowVersion) -> SowVersion | None:
        """Return the version that this one is compared with: the newest sent before it."""
        earlier = [each for each in self.all if each.number < sow.number]
        return next((each for each in earlier if each.is_frozen), None)

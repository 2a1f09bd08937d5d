from events.services.log import (
    Draft,
    acting_token,
    destroy_subject_key,
    json_safe,
    record,
    record_all,
    record_many,
    record_selected,
    told_as_of,
)
from events.services.notices import UnsafeHeader, notify, send_notice

__all__ = [
    "Draft",
    "UnsafeHeader",
    "acting_token",
    "destroy_subject_key",
    "json_safe",
    "notify",
    "record",
    "record_all",
    "record_many",
    "record_selected",
    "send_notice",
    "told_as_of",
]

"""Ways round a rule that lead over two moves, each of them allowed."""

import copy
import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from config.lib.errors import Conflict
from engagements import selectors, services
from engagements.models import SignOff
from engagements.permissions import can_decide_change, is_second_lead
from engagements.selectors.work import counted_drafts_of_others
from engagements.services import changing, conversation, delivering, links, recording, sows
from engagements.services.delivering import Evidence
from events.workflow import Blocked
from people.models import system_user
from tests import factories
from tests.engagements.ready import Stage, given

pytestmark = pytest.mark.django_db

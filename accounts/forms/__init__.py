"""How the pages of accounts and the settings read what people type."""

from accounts.forms.bulk import BulkForm
from accounts.forms.company import CompanyForm, TierEndForm, TierForm
from accounts.forms.imports import ImportFilterForm, MappingForm, UploadForm
from accounts.forms.lists import AccountFilterForm
from accounts.forms.readings import ReadingForm
from accounts.forms.saved_views import ViewForm

__all__ = [
    "AccountFilterForm",
    "BulkForm",
    "CompanyForm",
    "ImportFilterForm",
    "MappingForm",
    "ReadingForm",
    "TierEndForm",
    "TierForm",
    "UploadForm",
    "ViewForm",
]

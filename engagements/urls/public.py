"""Pages without an account: answer by link, check a receipt."""

from django.urls import path

from engagements.views import public, receipts

public_urlpatterns = [
    path("s/receipt/", public.receipt, name="receipt"),
    path("s/receipt/certificate.pdf", public.certificate, name="certificate"),
    path("s/<path:token>/document.pdf", public.document, name="document"),
    path("s/<path:token>/new-link/", public.renew, name="renew"),
    # Whatever stands there, so that every address that is none gets one answer.
    path("s/<path:token>/", public.sign, name="sign"),
    path("verify/", receipts.verify, name="verify"),
    path("verify/<str:code>/", receipts.receipt_check, name="receipt-check"),
]

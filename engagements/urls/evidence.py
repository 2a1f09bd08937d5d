"""Sign-offs recorded by us, links sent."""

from django.urls import path

from engagements.views import signing

NUMBER = "<request_number:number>"
SIGN_OFF = f"{NUMBER}/sign-offs/<uuid:sign_off_id>"
LINK = f"{NUMBER}/links/<uuid:link_id>"

urlpatterns = [
    path(f"{NUMBER}/sign-offs/new/<slug:way>/", signing.record, name="sign-off-record"),
    path(f"{SIGN_OFF}/", signing.detail, name="sign-off"),
    path(f"{SIGN_OFF}/confirm/", signing.confirm, name="sign-off-confirm"),
    path(f"{SIGN_OFF}/withdraw/", signing.withdraw, name="sign-off-withdraw"),
    path(f"{SIGN_OFF}/certificate.pdf", signing.certificate, name="sign-off-certificate"),
    path(f"{NUMBER}/links/new/", signing.link_new, name="link-new"),
    path(f"{LINK}/resend/", signing.link_resend, name="link-resend"),
    path(f"{LINK}/remind/", signing.link_remind, name="link-remind"),
    path(f"{LINK}/revoke/", signing.link_revoke, name="link-revoke"),
    path(f"{LINK}/confirm/", signing.link_confirm, name="link-confirm"),
]

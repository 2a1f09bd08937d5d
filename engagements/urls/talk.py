"""The conversation and files."""

from django.urls import path

from engagements.views import talk

urlpatterns = [
    path("<request_number:number>/comments/", talk.comments, name="comments"),
    path(
        "<request_number:number>/comments/<uuid:comment_id>/edit/",
        talk.comment_edit,
        name="comment-edit",
    ),
    path(
        "<request_number:number>/comments/<uuid:comment_id>/withdraw/",
        talk.comment_withdraw,
        name="comment-withdraw",
    ),
    path("<request_number:number>/files/<uuid:file_id>/", talk.file, name="file"),
]

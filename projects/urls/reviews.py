"""Addresses of reviews."""

from django.urls import URLPattern, path

from projects.views import comparing, deciding, reviews

ONE = "reviews/<review_number:number>/"
ITEM = ONE + "items/<uuid:item_id>/"
urlpatterns: list[URLPattern] = [
    path("reviews/", reviews.review_list, name="reviews"),
    path("reviews/new/", reviews.plan, name="review-new"),
    path("reviews/decisions.csv", reviews.decisions_csv, name="review-decisions"),
    path(ONE, reviews.detail, name="review"),
    path(ONE + "edit/", reviews.edit, name="review-edit"),
    path(ONE + "moves/<slug:transition>/", reviews.move, name="review-move"),
    path(ONE + "people/", reviews.people, name="review-people"),
    path(ONE + "refresh/", reviews.refresh, name="review-refresh"),
    path(ONE + "compare/", comparing.compare, name="review-compare"),
    path(ONE + "items/", deciding.add, name="review-add"),
    path(ITEM + "decide/", deciding.decide, name="review-decide"),
    path(ITEM + "note/", deciding.note, name="review-note"),
    path(ITEM + "remove/", deciding.remove, name="review-remove"),
]

"""Addresses of the board."""

from django.urls import URLPattern, path

from projects.views import board, board_moves

urlpatterns: list[URLPattern] = [
    path("board/", board.board, name="board"),
    path("board/moves/", board_moves.move_card, name="board-move"),
]

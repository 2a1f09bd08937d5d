"""The application's addresses, and those it is compared with."""

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from rest_framework.routers import SimpleRouter

from bench.stock.views import AccountViewSet, plain_accounts
from config.urls import *
from config.urls import urlpatterns as ours

router = SimpleRouter()
router.register("accounts", AccountViewSet, "stock-accounts")

urlpatterns = [
    *ours,
    path("api/stock/", include(router.urls)),
    path("api/plain/accounts/", login_not_required(plain_accounts)),
]

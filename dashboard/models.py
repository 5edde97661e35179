"""What staff keep of the pages that span apps."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from ispbilling.kernel.models import TenantForeignKey, TenantModel


class SavedView(TenantModel):
    """A question to the list of customers under a name: its owner's, or for everybody who works here."""

    name = models.CharField(max_length=40)
    query = models.CharField(max_length=1000, blank=True)  # a query string of the list's own filters
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "owner", "name"], name="savedview_name")]


class FirstView(TenantModel):
    """The view a person's list opens with."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    view = TenantForeignKey(SavedView, on_delete=models.CASCADE, related_name="firsts")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="firstview_one")]

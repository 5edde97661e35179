"""One-time codes of subscribers who sign in with their telephone."""

from __future__ import annotations

from django.db import models

from ispbilling.kernel.models import TenantModel


class LoginCode(TenantModel):
    """A code sent to a telephone. Kept hashed; dies with its use, its time or too many guesses."""

    phone = models.CharField(max_length=16)
    code_hash = models.CharField(max_length=128)
    is_real = models.BooleanField()  # False: nobody has this number; kept so that both cases look and count alike
    created_at = models.DateTimeField()  # machine time
    expires_at = models.DateTimeField()
    guesses = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "phone", "-created_at"], name="logincode_phone")]

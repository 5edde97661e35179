from django.urls import path

from payments import webhooks

urlpatterns = [path("mpesa-callback", webhooks.mpesa_alias, name="payments_mpesa_alias")]

from django.urls import path

from payments import webhooks

urlpatterns = [path("<str:account_token>/<str:attempt_token>", webhooks.provider_hook, name="payments_hook")]

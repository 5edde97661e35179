from django.urls import path

from accounts.api import keys

app_name = "api_accounts"
urlpatterns = [
    path("keys", keys.Keys.as_view(), name="keys"),
    path("keys/<uuid:key_id>", keys.Key.as_view(), name="key"),
]

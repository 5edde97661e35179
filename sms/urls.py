from django.urls import path

from sms import channel_views, views

app_name = "sms"
urlpatterns = [
    path("settings/messages/", channel_views.accounts, name="channels"),
    path("settings/messages/new/", channel_views.account_add, name="channel_add"),
    path("settings/messages/<uuid:channelaccount_id>/", channel_views.account, name="channel"),
    path("messages/", views.messages, name="messages"),
    path("customers/<uuid:customer_id>/messages/", views.customer_panel, name="customer_panel"),
]

from django.urls import path

from sms import channel_views, try_views, views, wording_views

app_name = "sms"
urlpatterns = [
    path("settings/messages/", channel_views.accounts, name="channels"),
    path("settings/messages/new/", channel_views.account_add, name="channel_add"),
    path("settings/messages/<uuid:channelaccount_id>/", channel_views.account, name="channel"),
    path("settings/messages/<uuid:channelaccount_id>/try/", try_views.channel_try, name="channel_try"),
    path("settings/wordings/", wording_views.wordings, name="wordings"),
    path("messages/", views.messages, name="messages"),
    path("messages/<uuid:message_id>/", views.message, name="message"),
    path("messages/<uuid:message_id>/again/", views.message_repeat, name="message_repeat"),
    path("customers/<uuid:customer_id>/messages/new/", views.message_write, name="message_write"),
    path("customers/<uuid:customer_id>/messages/", views.customer_panel, name="customer_panel"),
]

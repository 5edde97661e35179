from django.urls import path

from sms import views

app_name = "sms"
urlpatterns = [
    path("messages/", views.messages, name="messages"),
    path("customers/<uuid:customer_id>/messages/", views.customer_panel, name="customer_panel"),
]

from django.urls import path

from network import views

app_name = "network"
urlpatterns = [
    path("routers/", views.routers, name="routers"),
    path("wall/", views.wall, name="wall"),
    path("customers/<uuid:customer_id>/line/", views.customer_panel, name="customer_panel"),
]

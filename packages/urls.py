from django.urls import path

from packages import views

app_name = "packages"
urlpatterns = [
    path("packages/", views.packages, name="packages"),
    path("packages/new/", views.package_add, name="package_add"),
    path("packages/<uuid:package_id>/", views.package, name="package"),
]

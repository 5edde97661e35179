from django.urls import path

from packages.api import views

app_name = "api_packages"
urlpatterns = [
    path("packages", views.Packages.as_view(), name="packages"),
    path("packages/<uuid:package_id>", views.PackageOne.as_view(), name="package"),
]

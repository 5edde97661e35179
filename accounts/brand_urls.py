"""What everybody may see of a business, signed in or not."""

from django.urls import path

from accounts.views import business

urlpatterns = [
    path("brand.css", business.brand_css, name="brand_css"),
    path("brand/logo", business.brand_logo, name="brand_logo"),
]

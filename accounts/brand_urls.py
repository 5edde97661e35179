"""What everybody may see of a business: behind ``/brand``."""

from django.urls import path

from accounts.views import business

urlpatterns = [
    path(".css", business.brand_css, name="brand_css"),
    path("/logo", business.brand_logo, name="brand_logo"),
]

from django.urls import path

from portal.views import staff

app_name = "portal_staff"
urlpatterns = [
    path("settings/portal/", staff.portal_settings, name="settings"),
    path("leads/", staff.lead_list, name="leads"),
    path("leads/<uuid:lead_id>/", staff.lead, name="lead"),
]

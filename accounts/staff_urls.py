"""Pages of the dashboard about the people who work with it."""

from django.urls import path

from accounts.views import business, own, roles, second_factor, staff

app_name = "accounts"
urlpatterns = [
    path("settings/", business.business, name="business"),
    path("settings/brand/", business.brand, name="brand"),
    path("settings/logo/", business.logo, name="logo"),
    path("account/", own.own, name="own"),
    path("account/second-factor/", second_factor.own, name="second_factor"),
    path("staff/", staff.staff, name="staff"),
    path("staff/invite/", staff.invite, name="invite"),
    path("staff/invitations/<uuid:invitation_id>/", staff.invitation, name="invitation"),
    path("staff/roles/", roles.roles, name="roles"),
    path("staff/<uuid:member_id>/", staff.member, name="member"),
]

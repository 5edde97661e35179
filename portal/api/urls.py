from django.urls import path

from portal.api import doors

app_name = "api_portal"
urlpatterns = [
    path("auth/login", doors.SignIn.as_view(), name="login"),
    path("auth/code", doors.Code.as_view(), name="code"),
    path("auth/register", doors.Register.as_view(), name="register"),
    path("auth/refresh", doors.Refresh.as_view(), name="refresh"),
    path("auth/logout", doors.SignOut.as_view(), name="logout"),
]

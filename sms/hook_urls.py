from django.urls import path

from sms import webhooks

urlpatterns = [path("<str:token>/report", webhooks.report_hook, name="sms_report_hook")]

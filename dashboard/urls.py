from django.conf import settings
from django.urls import path

from dashboard import (
    audit_views,
    bulk_pages,
    customer_files,
    customer_page,
    customer_views,
    home_views,
    live_views,
    shell_views,
    start_views,
    trends_views,
    views,
)
from dashboard.demo import banner

app_name = "dashboard"
urlpatterns = [
    path("", home_views.home, name="home"),
    path("start/", start_views.start, name="start"),
    path("start/card/", start_views.card, name="start_card"),
    path("home/revenue/", home_views.revenue, name="home_revenue"),
    path("home/sessions/", home_views.sessions, name="home_sessions"),
    path("home/due/", home_views.due, name="home_due"),
    path("home/alerts/", home_views.alerts, name="home_alerts"),
    path("home/cuts/", home_views.cuts, name="home_cuts"),
    path("home/waits/", home_views.waits, name="home_waits"),
    path("customers/", customer_views.customers, name="customers"),
    path("customers/new/", customer_page.line_add, name="line_add"),
    path("customers/views/", customer_views.view_save, name="view_save"),
    path("customers/views/<uuid:view_id>/", customer_views.view_change, name="view_change"),
    path("customers/bulk/", bulk_pages.plan, name="bulk_plan"),
    path("customers/<uuid:customer_id>/", customer_page.customer, name="customer"),
    path("customers/<uuid:customer_id>/opened/", customer_page.line_opened, name="line_opened"),
    path("customers/<uuid:customer_id>/edit/", customer_page.edit, name="customer_edit"),
    path("customers/<uuid:customer_id>/days/", customer_page.gift, name="customer_gift"),
    path("customers/<uuid:customer_id>/stop/", customer_page.stop, name="customer_stop"),
    path("customers/<uuid:customer_id>/delete/", customer_page.delete, name="customer_delete"),
    path("customers/<uuid:customer_id>/notes/", customer_files.notes, name="customer_notes"),
    path("customers/<uuid:customer_id>/notes/add/", customer_files.note_add, name="customer_note_add"),
    path("customers/<uuid:customer_id>/notes/<uuid:note_id>/", customer_files.note, name="customer_note"),
    path("customers/<uuid:customer_id>/files/", customer_files.documents, name="customer_documents"),
    path("customers/<uuid:customer_id>/files/add/", customer_files.document_add, name="customer_document_add"),
    path("customers/<uuid:customer_id>/files/<uuid:document_id>/", customer_files.document, name="customer_document"),
    path(
        "customers/<uuid:customer_id>/files/<uuid:document_id>/change/",
        customer_files.document_change,
        name="customer_document_change",
    ),
    path("customers/bulk/jobs/", bulk_pages.jobs, name="bulk_jobs"),
    path("customers/bulk/jobs/<uuid:job_id>/", bulk_pages.job, name="bulk_job"),
    path("customers/bulk/jobs/<uuid:job_id>/start/", bulk_pages.start, name="bulk_start"),
    path("customers/bulk/jobs/<uuid:job_id>/undo/", bulk_pages.undo, name="bulk_undo"),
    path("customers/<uuid:customer_id>/why/", views.customer_why, name="customer_why"),
    path("trends/", trends_views.trends, name="trends"),
    path("palette/", shell_views.palette, name="palette"),
    path("styleguide/", shell_views.styleguide, name="styleguide"),
    path("live/", live_views.words, name="live"),
    path("health/", views.health, name="health"),
    path("audit/", audit_views.browse, name="audit"),
    path("audit/export/", audit_views.export, name="audit_export"),
    path("events/", views.events, name="events"),
    path("events/<uuid:event_id>/retry/", views.event_retry, name="event_retry"),
]
if settings.CLOCK_MAY_MOVE:  # the demo's own
    urlpatterns += [path("demo/progress/", banner.progress, name="demo_progress")]

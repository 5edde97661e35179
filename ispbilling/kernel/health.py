"""``/healthz`` answers without touching anything; ``/readyz`` says whether the database is there and migrated."""

from __future__ import annotations

from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse

from ispbilling.kernel import access


@transaction.non_atomic_requests
@access.public("a load balancer asks, and learns nothing")
def healthz(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@transaction.non_atomic_requests
@access.public("a supervisor asks, and learns nothing but yes or no")
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when requests can be served: PostgreSQL answers and the tables are there. Redis may be away."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM kernel_clock")
    except DatabaseError:
        return JsonResponse({"ready": False, "database": False}, status=503)
    return JsonResponse({"ready": True, "database": True})

"""The permission table, written down a second time: what each address demands, and which roles have it.

The tests try the addresses against this table and not against what the product says of itself, so that a view that
demands less than it did, or a role that may more, fails the build. An address without a row here does so too.
"""

from __future__ import annotations

#: Staff: address → the permission it demands.
STAFF = {
    "accounts:business": "settings:business",
    "billing:policy": "settings:policy",
    "payments:gateways": "settings:gateways",
    "payments:gateway_add": "settings:gateways",
    "payments:gateway": "settings:gateways",
    "payments:gateway_test": "settings:gateways",
    "sms:channels": "settings:messages",
    "sms:channel_add": "settings:messages",
    "sms:channel": "settings:messages",
    "dashboard:audit": "audit:view",
    "dashboard:audit_export": "audit:view",
    "accounts:staff": "staff:view",
    "accounts:invite": "staff:edit",
    "accounts:invitation": "staff:edit",
    "accounts:member": "staff:edit",
    "accounts:roles": "staff:roles",
    "accounts:own": "account:own",
    "accounts:second_factor": "account:own",
    "dashboard:home": "dashboard:view",
    "dashboard:palette": "customers:view",
    "dashboard:styleguide": "dashboard:view",
    "dashboard:start": "dashboard:view",
    "dashboard:start_card": "settings:business",
    "dashboard:home_revenue": "billing:view",
    "dashboard:home_sessions": "pppoe:view",
    "dashboard:home_due": "billing:view",
    "dashboard:home_alerts": "dashboard:view",
    "dashboard:home_cuts": "cuts:view",
    "dashboard:home_waits": "billing:view",
    "dashboard:demo_progress": "dashboard:view",
    "dashboard:customers": "customers:view",
    "dashboard:customer": "customers:view",
    "dashboard:line_add": "pppoe:add_user",
    "dashboard:line_opened": "pppoe:add_user",
    "dashboard:view_save": "customers:view",
    "dashboard:view_change": "customers:view",
    "dashboard:bulk_plan": "customers:bulk",
    "dashboard:bulk_job": "customers:bulk",
    "dashboard:bulk_start": "customers:bulk",
    "dashboard:bulk_undo": "customers:bulk",
    "dashboard:bulk_jobs": "customers:bulk",
    "dashboard:customer_edit": "customers:edit",
    "dashboard:customer_gift": "customers:gift",
    "dashboard:customer_stop": "customers:stop",
    "dashboard:customer_delete": "pppoe:delete",
    "dashboard:customer_notes": "customers:view",
    "dashboard:customer_note_add": "customers:note",
    "dashboard:customer_note": "customers:note",
    "dashboard:customer_documents": "customers:documents",
    "dashboard:customer_document_add": "customers:documents",
    "dashboard:customer_document": "customers:documents",
    "dashboard:customer_document_change": "customers:documents",
    "dashboard:customer_why": "customers:view",
    "dashboard:live": "dashboard:view",
    "dashboard:trends": "trends:view",
    "dashboard:health": "health:view",
    "dashboard:events": "system:events",
    "dashboard:event_retry": "system:events",
    "packages:packages": "packages:view",
    "packages:package_add": "packages:edit",
    "packages:package": "packages:edit",
    "billing:customer_panel": "billing:view",
    "billing:subscriptions": "billing:view",
    "billing:subscription": "billing:view",
    "billing:subscription_extend": "billing:edit",
    "billing:subscription_expiry": "billing:edit",
    "billing:subscription_end": "billing:edit",
    "billing:subscription_stop": "billing:edit",
    "billing:subscription_package": "billing:edit",
    "billing:invoices": "invoices:view",
    "billing:invoice": "invoices:view",
    "billing:invoice_print": "invoices:view",
    "billing:invoice_file": "invoices:view",
    "billing:invoice_credit": "invoices:credit",
    "billing:receipt_file": "invoices:view",
    "billing:prices": "settings:prices",
    "accounts:logo": "settings:business",
    "accounts:brand": "settings:business",
    "billing:customer_hold": "cuts:hold",
    "billing:cuts": "cuts:view",
    "billing:cuts_release": "cuts:release",
    "network:customer_panel": "pppoe:view",
    "network:routers": "routers:view",
    "network:router": "routers:view",
    "network:router_try": "routers:edit",
    "network:router_drift_policy": "routers:edit",
    "network:router_drift_correct": "routers:edit",
    "network:router_new": "routers:manage",
    "network:router_edit": "routers:manage",
    "network:router_switch": "routers:manage",
    "network:sessions": "pppoe:view",
    "network:sessions_ended": "pppoe:view",
    "network:session_end": "sessions:act",
    "network:line_ask": "sessions:act",
    "network:wall": "routers:wall",
    "payments:payments": "billing:view",
    "payments:payments_export": "billing:view",
    "payments:payment": "billing:view",
    "payments:payment_ask": "payments:ask",
    "billing:payment_panel": "billing:view",
    "billing:receipts": "billing:view",
    "billing:receipt": "billing:view",
    "billing:receipt_owner": "receipts:assign",
    "billing:receipt_return": "receipts:assign",
    "billing:suspense": "billing:view",
    "billing:statement_line": "billing:view",
    "billing:cash": "finance:income_create",
    "sms:customer_panel": "messages:view",
    "sms:messages": "messages:view",
    "portal_staff:settings": "settings:business",
    "portal_staff:leads": "pppoe:add_user",
    "portal_staff:lead": "pppoe:add_user",
    "sms:message": "messages:view",
    "sms:message_repeat": "messages:send",
    "sms:message_write": "messages:send",
    "sms:channel_try": "settings:messages",
    "sms:wordings": "messages:wordings",
}

#: What sending the form of an address needs besides.
FORMS = {"billing:statement_line": "receipts:assign"}

#: A signed-in customer, who sees what is his own.
CUSTOMER = {
    "portal:home",
    "portal:pay",
    "portal:payment",
    "portal:payment_status",
    "portal:payment_retry",
    "portal:switch",
    "portal:live",
    "portal:welcome",
    "portal:neighbour",
    "portal:neighbour_pay",
    "portal:top_up",
    "portal:payments",
    "portal:receipt",
    "portal:receipt_file",
    "portal:invoice_file",
    "portal:invoices",
    "portal:invoice",
    "portal:sessions",
    "portal:plan",
    "portal:plan_keep",
    "portal:profile",
    "portal:line_confirm",
    "portal:telephones_confirm",
    "portal:line",
    "portal:telephones",
    "portal:telephone_code",
    "portal:telephone_change",
    "portal:sign_ins_end",
}

#: Endpoints for programs of staff: address → method → the permissions it demands.
API_STAFF: dict[str, dict[str, set[str]]] = {
    "api_accounts:keys": {"GET": {"keys:manage"}, "POST": {"keys:manage"}},
    "api_accounts:key": {"DELETE": {"keys:manage"}},
    "api_packages:packages": {"GET": {"packages:view"}, "POST": {"packages:view", "packages:edit"}},
    "api_packages:package": {
        "GET": {"packages:view"},
        "PUT": {"packages:view", "packages:edit"},
        "PATCH": {"packages:view", "packages:edit"},
        "DELETE": {"packages:view", "packages:edit"},
    },
    "api_billing:transactions": {"GET": {"billing:view"}, "POST": {"billing:view", "finance:income_create"}},
    "api_billing:invoices": {"GET": {"billing:view"}},
    "api_billing:revenue": {"GET": {"billing:view"}},
}
_OF_CUSTOMERS: dict[str, dict[str, set[str]]] = {
    "s": {"GET": {"customers:view"}, "POST": {"customers:view", "pppoe:add_user"}},
    "": {
        "GET": {"customers:view"},
        "PUT": {"customers:view", "pppoe:edit"},
        "PATCH": {"customers:view", "pppoe:edit"},
        "DELETE": {"customers:view", "pppoe:delete"},
    },
    "_restore": {"POST": {"customers:view", "pppoe:delete"}},
    "_why": {"GET": {"customers:view"}},
    "_subscriptions": {"GET": {"customers:view", "billing:view"}},
    "_payments": {"GET": {"customers:view", "billing:view"}},
    "_invoices": {"GET": {"customers:view", "billing:view"}},
    "_sessions": {"GET": {"customers:view", "pppoe:view"}},
    "_live_status": {"GET": {"customers:view", "pppoe:view"}},
    "_recharge": {"POST": {"customers:view", "finance:income_create"}},
    "_hold": {"PUT": {"customers:view", "cuts:hold"}},
    "_package": {"PUT": {"customers:view", "pppoe:edit"}},
}
#: ``/clients`` is another name of ``/customers``.
API_STAFF |= {f"api:{name}{end}": rule for name in ("customer", "client") for end, rule in _OF_CUSTOMERS.items()}

#: Endpoints for programs of customers, and for everybody: address → methods.
API_CUSTOMER: dict[str, set[str]] = {
    "api_portal:packages": {"GET"},
    "api_portal:subscriptions": {"GET", "POST"},
    "api_portal:invoices": {"GET"},
    "api_portal:profile": {"GET", "PATCH"},
    "api_portal:usage": {"GET"},
    "api_portal:recharge_options": {"GET"},
    "api_portal:recharge_preview": {"GET"},
    "api_portal:recharges": {"GET"},
    "api_portal:bills": {"GET"},
    "api_portal:bill_statistics": {"GET"},
    "api_portal:gateways": {"GET"},
    "api_portal:payments": {"GET", "POST"},
    "api_portal:payment": {"GET"},
}
API_PUBLIC: dict[str, set[str]] = {
    "api_portal:login": {"POST"},
    "api_portal:code": {"POST"},
    "api_portal:register": {"POST"},
    "api_portal:refresh": {"POST"},
    "api_portal:logout": {"POST"},
    "api:schema": {"GET"},
}

#: A body that is taken, where an endpoint looks at the body before it looks for the row in its path.
API_BODIES: dict[tuple[str, str], dict[str, object]] = {}

#: Whoever knows the token in the path.
HOOK = {"payments_hook", "sms_report_hook"}

#: Everybody.
PUBLIC = {
    "root",
    "brand_css",
    "brand_logo",
    "healthz",
    "readyz",
    "account_language",
    "account_login",
    "account_logout",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_change_password",
    "account_inactive",
    "account_reauthenticate",
    "account_second_factor",
    "account_invitation",
    "account_signup",
    "portal:sign_in",
    "portal:sign_in_code",
    "portal:sign_out",
    "portal:sign_in_password",
    "portal:sign_up",
    "portal:sign_up_code",
    "portal:sign_up_details",
    "portal:sign_up_sent",
    "portal:manifest",
    "portal:worker",
    "portal:offline",
    "payments_mpesa_alias",
    "api:docs",
}

_LEADERS = {"owner", "admin"}
_OFFICE = _LEADERS | {"billing", "support"}
_EVERYONE = _OFFICE | {"technician"}

#: Permission → the roles that have it. A reseller has his own account so far.
ROLES = {
    "account:own": _EVERYONE | {"reseller"},
    "dashboard:view": _EVERYONE,
    "customers:view": _EVERYONE,
    "customers:edit": _OFFICE,
    "customers:bulk": _LEADERS | {"billing"},
    "customers:gift": _LEADERS | {"billing"},
    "customers:stop": _LEADERS | {"billing"},
    "customers:note": _EVERYONE,
    "customers:documents": _OFFICE,
    "customers:share_views": _LEADERS,
    "billing:view": _OFFICE,
    "billing:edit": _LEADERS | {"billing"},
    "invoices:view": _OFFICE,
    "invoices:credit": _LEADERS | {"billing"},
    "finance:income_create": _LEADERS | {"billing"},
    "cuts:view": _OFFICE,
    "cuts:release": _LEADERS,
    "receipts:assign": _LEADERS | {"billing"},
    "payments:ask": _OFFICE,
    "cuts:hold": _LEADERS | {"billing"},
    "pppoe:view": _EVERYONE,
    "pppoe:add_user": _LEADERS | {"support", "technician"},
    "pppoe:edit": _OFFICE,
    "pppoe:delete": _LEADERS,
    "packages:view": _EVERYONE,
    "packages:edit": _LEADERS,
    "routers:view": _LEADERS | {"support", "technician"},
    "routers:edit": _LEADERS | {"technician"},
    "routers:manage": _LEADERS,
    "routers:wall": _LEADERS | {"technician"},
    "sessions:act": _LEADERS | {"support", "technician"},
    "messages:view": _OFFICE,
    "messages:send": _OFFICE,
    "messages:wordings": _LEADERS,
    "staff:view": _LEADERS,
    "staff:edit": _LEADERS,
    "staff:roles": _LEADERS,
    "settings:business": _LEADERS,
    "settings:policy": _LEADERS,
    "settings:prices": _LEADERS,
    "settings:gateways": _LEADERS,
    "settings:messages": _LEADERS,
    "audit:view": _LEADERS,
    "trends:view": _LEADERS | {"billing"},
    "health:view": _LEADERS,
    "keys:manage": _LEADERS,
    "system:events": _LEADERS,
}


def may(role: str, address: str) -> bool:
    """Whether a role comes in at a staff address."""
    return role in ROLES[STAFF[address]]


def may_send(role: str, address: str) -> bool:
    """Whether a role's form is taken at a staff address."""
    return may(role, address) and (address not in FORMS or role in ROLES[FORMS[address]])


def may_call(role: str, address: str, method: str) -> bool:
    """Whether a role's program may send this method to an endpoint."""
    return all(role in ROLES[one] for one in API_STAFF[address][method])

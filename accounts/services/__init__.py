"""Every write of tenants, staff, and the tokens programs come with."""

from accounts.services.api_log import api_calls_write, api_traces_purge
from accounts.services.doors import staff_prove
from accounts.services.keys import api_key_create, api_key_revoke, api_key_used
from accounts.services.logins import login_close, login_close_by_refresh, login_open, login_refresh
from accounts.services.staff import actor_of, domain_add, staff_create, tenant_create
from accounts.services.tries import tries_allow, tries_begin_anew, tries_count, tries_forget

__all__ = [
    "actor_of",
    "api_calls_write",
    "api_key_create",
    "api_key_revoke",
    "api_key_used",
    "api_traces_purge",
    "domain_add",
    "login_close",
    "login_close_by_refresh",
    "login_open",
    "login_refresh",
    "staff_create",
    "staff_prove",
    "tenant_create",
    "tries_allow",
    "tries_begin_anew",
    "tries_count",
    "tries_forget",
]

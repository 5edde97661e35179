"""Every write of tenants, staff, what proves who somebody is, and the tokens programs come with."""

from accounts.services.api_log import api_calls_write, api_traces_purge
from accounts.services.brand import brand_color_set, logo_remove, logo_set
from accounts.services.doors import staff_prove
from accounts.services.keys import api_key_create, api_key_revoke, api_key_used
from accounts.services.logins import login_close, login_close_by_refresh, login_open, login_refresh
from accounts.services.own import looks_set, password_change
from accounts.services.roles import may_manage, role_overrides_set
from accounts.services.second_factor import (
    RECOVERY_CODES,
    recovery_codes_renew,
    second_factor_begin,
    second_factor_check,
    second_factor_confirm,
    second_factor_end,
)
from accounts.services.sign_ins import (
    sign_in_begin,
    sign_in_end,
    sign_in_move,
    sign_in_seen,
    sign_ins_end,
)
from accounts.services.staff import (
    invitation_accept,
    invitation_create,
    invitation_renew,
    invitation_withdraw,
    member_activate,
    member_deactivate,
    member_role_set,
    member_second_factor_reset,
    member_sign_ins_end,
)
from accounts.services.tenants import (
    actor_of,
    domain_add,
    staff_create,
    tenant_change,
    tenant_create,
    tenant_first_steps_set,
)
from accounts.services.tries import (
    guess_limits,
    letter_limits,
    tries_allow,
    tries_begin_anew,
    tries_count,
    tries_forget,
    tries_give_back,
    tries_take,
)

__all__ = [
    "RECOVERY_CODES",
    "actor_of",
    "api_calls_write",
    "api_key_create",
    "api_key_revoke",
    "api_key_used",
    "api_traces_purge",
    "brand_color_set",
    "domain_add",
    "guess_limits",
    "invitation_accept",
    "invitation_create",
    "invitation_renew",
    "invitation_withdraw",
    "letter_limits",
    "login_close",
    "login_close_by_refresh",
    "login_open",
    "login_refresh",
    "logo_remove",
    "logo_set",
    "looks_set",
    "may_manage",
    "member_activate",
    "member_deactivate",
    "member_role_set",
    "member_second_factor_reset",
    "member_sign_ins_end",
    "password_change",
    "recovery_codes_renew",
    "role_overrides_set",
    "second_factor_begin",
    "second_factor_check",
    "second_factor_confirm",
    "second_factor_end",
    "sign_in_begin",
    "sign_in_end",
    "sign_in_move",
    "sign_in_seen",
    "sign_ins_end",
    "staff_create",
    "staff_prove",
    "tenant_change",
    "tenant_create",
    "tenant_first_steps_set",
    "tries_allow",
    "tries_begin_anew",
    "tries_count",
    "tries_forget",
    "tries_give_back",
    "tries_take",
]

"""Every write of tenants, staff and what proves who somebody is."""

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
from accounts.services.tenants import actor_of, domain_add, staff_create, tenant_change, tenant_create

__all__ = [
    "RECOVERY_CODES",
    "actor_of",
    "domain_add",
    "invitation_accept",
    "invitation_create",
    "invitation_renew",
    "invitation_withdraw",
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
    "tenant_change",
    "tenant_create",
]

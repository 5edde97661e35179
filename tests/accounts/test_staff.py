"""Who works for a tenant: invitations, roles, letting go."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.models import Invitation, Membership, RoleOverride, SignIn, TotpDevice, User
from accounts.permissions import PERMISSIONS, permissions_of, role_has
from accounts.services import (
    invitation_create,
    member_deactivate,
    member_role_set,
    role_overrides_set,
    second_factor_begin,
)
from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.errors import DomainError
from ispbilling.kernel.models import AuditEntry
from tests import factories

ACTOR = factories.ACTOR
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
NEW = "three-brown-geese"


@pytest.fixture
def owner(tenant: Any, settings: Any) -> Membership:
    settings.ALLOWED_HOSTS = [".localhost"]
    cache.clear()
    return factories.staff_make(tenant, "owner", "owner@example.org")


def browser(tenant: Any, member: Membership | None = None) -> Client:
    made = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    if member is not None:
        made.force_login(member.user, BACKEND)
    return made


def invited(tenant: Any, owner: Membership, email: str = "amina@example.org", role: str = "support") -> str:
    """The path of the link of a new invitation."""
    key = invitation_create(email=email, role=role, by=owner, actor=ACTOR)[1]
    return f"/account/invitation/{key}/"


# --- Invitations ------------------------------------------------------------------------------------------------


def test_the_link_is_mailed_and_shown_to_the_inviter_once(
    tenant: Any, owner: Membership, django_capture_on_commit_callbacks: Any
) -> None:
    here = browser(tenant, owner)
    with django_capture_on_commit_callbacks(execute=True):
        answer = here.post("/dashboard/staff/invite/", {"email": "Amina@Example.org", "role": "support"}, follow=True)
    link = re.search(r"http://\S+/account/invitation/[\w-]+/", answer.content.decode())
    assert link is not None
    assert link[0] in mail.outbox[0].body
    assert mail.outbox[0].to == ["amina@example.org"]
    assert link[0] not in here.get("/dashboard/staff/").content.decode()
    assert "amina@example.org" in here.get("/dashboard/staff/").content.decode()
    assert link[0].split("/")[-2] not in str(Invitation.objects.values().get())


def test_whoever_has_the_link_joins_with_a_password_of_his_own(tenant: Any, owner: Membership) -> None:
    path, door = invited(tenant, owner), browser(tenant)
    page = door.get(path).content.decode()
    assert tenant.name in page
    assert "amina@example.org" in page
    assert door.post(path, {"name": "Amina", "password": NEW})["Location"] == "/account/login/"
    door.post("/account/login/", {"login": "amina@example.org", "password": NEW})
    assert door.get("/dashboard/").status_code == 200
    assert Membership.objects.get(user__email="amina@example.org").role == "support"


def test_a_link_opens_once(tenant: Any, owner: Membership) -> None:
    path, door = invited(tenant, owner), browser(tenant)
    door.post(path, {"name": "Amina", "password": NEW})
    assert door.get(path).status_code == 404
    assert door.post(path, {"name": "Eve", "password": NEW}).status_code == 404
    assert User.objects.filter(name="Eve").count() == 0


def test_a_link_of_more_than_three_days_ago_opens_nothing(tenant: Any, owner: Membership) -> None:
    path, door = invited(tenant, owner), browser(tenant)
    assert Invitation.objects.get().expires_at - Invitation.objects.get().created_at == timedelta(days=3)
    Invitation.objects.update(expires_at=clock.machine_now())
    assert door.get(path).status_code == 404


def test_sent_again_the_new_link_opens_and_the_old_does_not(tenant: Any, owner: Membership) -> None:
    old, here = invited(tenant, owner), browser(tenant, owner)
    address = f"/dashboard/staff/invitations/{Invitation.objects.get().id}/"
    page = here.post(address, {"action": "renew"}, follow=True).content.decode()
    new = re.search(r"/account/invitation/[\w-]+/", page)
    assert new is not None
    assert browser(tenant).get(old).status_code == 404
    assert browser(tenant).get(new[0]).status_code == 200


def test_taken_back_it_opens_nothing(tenant: Any, owner: Membership) -> None:
    path = invited(tenant, owner)
    browser(tenant, owner).post(f"/dashboard/staff/invitations/{Invitation.objects.get().id}/", {"action": "withdraw"})
    assert browser(tenant).get(path).status_code == 404


@pytest.mark.parametrize("key", ["x", "0" * 43, "é", "%00", "a" * 3000])
def test_a_made_up_link_opens_nothing(key: str, tenant: Any, owner: Membership) -> None:
    assert browser(tenant).get(f"/account/invitation/{key}/").status_code == 404


def test_a_weak_password_does_not_join(tenant: Any, owner: Membership) -> None:
    path = invited(tenant, owner)
    assert browser(tenant).post(path, {"name": "Amina", "password": "short"}).status_code == 422
    assert not User.objects.filter(email="amina@example.org").exists()


def test_whoever_has_an_account_joins_with_its_password_and_no_other(tenant: Any, owner: Membership) -> None:
    other = factories.tenant_make()
    theirs = factories.staff_make(other, "support", "amina@example.org")
    path, door = invited(tenant, owner), browser(tenant)
    assert door.post(path, {"password": NEW, "name": "Eve"}).status_code == 422
    assert door.post(path, {"password": factories.PASSWORD}).status_code == 302
    assert Membership.objects.get(user__email="amina@example.org").user_id == theirs.user_id
    theirs.user.refresh_from_db()
    assert theirs.user.check_password(factories.PASSWORD)


def test_the_same_person_is_not_invited_twice(tenant: Any, owner: Membership) -> None:
    invited(tenant, owner)
    here = browser(tenant, owner)
    for email in ("amina@example.org", "OWNER@example.org"):
        assert here.post("/dashboard/staff/invite/", {"email": email, "role": "support"}).status_code == 422
    assert Invitation.objects.count() == 1


def test_no_role_is_chosen_beforehand(tenant: Any, owner: Membership) -> None:
    here = browser(tenant, owner)
    assert '<option value="" selected>Choose a role</option>' in here.get("/dashboard/staff/invite/").content.decode()
    assert here.post("/dashboard/staff/invite/", {"email": "amina@example.org", "role": ""}).status_code == 422
    assert not Invitation.objects.exists()


# --- Roles ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["owner", "nonsense"])
def test_an_administrator_makes_no_owner(role: str, tenant: Any, owner: Membership) -> None:
    admin = factories.staff_make(tenant, "admin")
    support = factories.staff_make(tenant, "support")
    with pytest.raises(DomainError):
        invitation_create(email="x@example.org", role=role, by=admin, actor=ACTOR)
    with pytest.raises(DomainError):
        member_role_set(member_id=support.id, role=role, by=admin, actor=ACTOR)
    support.refresh_from_db()
    assert support.role == "support"


def test_an_administrator_has_no_say_over_an_owner(tenant: Any, owner: Membership) -> None:
    factories.staff_make(tenant, "owner")
    second_factor_begin(user=owner.user)
    here = browser(tenant, factories.staff_make(tenant, "admin"))
    for form in ({"action": "role", "role": "support"}, {"action": "off"}, {"action": "end"},
                 {"action": "reset", "password": factories.PASSWORD}):  # fmt: skip
        here.post(f"/dashboard/staff/{owner.id}/", form)
    owner.refresh_from_db()
    assert (owner.role, owner.is_active) == ("owner", True)
    assert TotpDevice.objects.filter(user=owner.user).exists()


def test_the_last_owner_stays(tenant: Any, owner: Membership) -> None:
    for attempt in (
        lambda: member_role_set(member_id=owner.id, role="admin", by=owner, actor=ACTOR),
        lambda: member_deactivate(member_id=owner.id, by=owner, actor=ACTOR),
    ):
        with pytest.raises(DomainError):
            attempt()
    second = factories.staff_make(tenant, "owner")
    member_role_set(member_id=second.id, role="admin", by=owner, actor=ACTOR)
    second.refresh_from_db()
    assert second.role == "admin"
    with pytest.raises(DomainError):
        member_role_set(member_id=owner.id, role="admin", by=owner, actor=ACTOR)


def test_whoever_is_let_go_is_out_at_once(tenant: Any, owner: Membership) -> None:
    support = factories.staff_make(tenant, "support")
    there = browser(tenant, support)
    assert there.get("/dashboard/").status_code == 200
    browser(tenant, owner).post(f"/dashboard/staff/{support.id}/", {"action": "off"})
    assert there.get("/dashboard/")["Location"].startswith("/account/login/")
    assert SignIn.objects.filter(user=support.user).count() == 0
    assert AuditEntry.objects.get(verb="staff.off").actor == f"user:{owner.user_id}"
    browser(tenant, owner).post(f"/dashboard/staff/{support.id}/", {"action": "on"})
    assert browser(tenant, support).get("/dashboard/").status_code == 200


def test_whoever_works_elsewhere_too_goes_on_there(tenant: Any, owner: Membership) -> None:
    support = factories.staff_make(tenant, "support")
    other = factories.tenant_make()
    with tenancy.tenant_context(other.id):
        Membership.objects.create(user=support.user, role="support", created_at=clock.now())
    there = browser(tenant, support)
    member_deactivate(member_id=support.id, by=owner, actor=ACTOR)
    assert other.name in there.get("/dashboard/").content.decode()


def test_resetting_anothers_second_factor_takes_the_password_and_is_written_down(
    tenant: Any, owner: Membership
) -> None:
    support = factories.staff_make(tenant, "support")
    second_factor_begin(user=support.user)
    TotpDevice.objects.update(confirmed=True)
    here, path = browser(tenant, owner), f"/dashboard/staff/{support.id}/"
    assert here.post(path, {"action": "reset", "password": "wrong"}).status_code == 422
    assert TotpDevice.objects.filter(user=support.user).exists()
    here.post(path, {"action": "reset", "password": factories.PASSWORD})
    assert not TotpDevice.objects.filter(user=support.user).exists()
    assert AuditEntry.objects.get(verb="second_factor.reset").row_id == str(support.user_id)


def test_the_second_factor_of_whoever_works_elsewhere_too_is_not_one_tenants_to_reset(
    tenant: Any, owner: Membership
) -> None:
    support = factories.staff_make(tenant, "support")
    with tenancy.tenant_context(factories.tenant_make().id):
        Membership.objects.create(user=support.user, role="owner", created_at=clock.now())
    second_factor_begin(user=support.user)
    browser(tenant, owner).post(f"/dashboard/staff/{support.id}/", {"action": "reset", "password": factories.PASSWORD})
    assert TotpDevice.objects.filter(user=support.user).exists()


# --- The table of roles -----------------------------------------------------------------------------------------


def ticks(**changes: bool) -> dict[str, Any]:
    """The table as it comes, with changes: ``support__cuts_view=False``."""
    on = {f"{role} {name}" for name, one in PERMISSIONS.items() for role in one.roles if role != "owner"}
    for key, wanted in changes.items():
        role, name = key.split("__")
        tick = f"{role} {name.replace('_', ':', 1)}"
        on = on | {tick} if wanted else on - {tick}
    return {"shown": " ".join(PERMISSIONS), "grant": sorted(on)}


def test_a_tick_taken_away_closes_the_page_at_once_and_given_back_opens_it(tenant: Any, owner: Membership) -> None:
    there, here = browser(tenant, factories.staff_make(tenant, "support")), browser(tenant, owner)
    assert there.get("/dashboard/cuts/").status_code == 200
    here.post("/dashboard/staff/roles/", ticks(support__cuts_view=False))
    assert there.get("/dashboard/cuts/").status_code == 403
    assert "/dashboard/cuts/" not in there.get("/dashboard/").content.decode()
    here.post("/dashboard/staff/roles/", ticks())
    assert there.get("/dashboard/cuts/").status_code == 200
    assert RoleOverride.objects.count() == 0


def test_a_tick_more_opens_a_page(tenant: Any, owner: Membership) -> None:
    there = browser(tenant, factories.staff_make(tenant, "technician"))
    assert there.get("/dashboard/health/").status_code == 403
    browser(tenant, owner).post("/dashboard/staff/roles/", ticks(technician__health_view=True))
    assert there.get("/dashboard/health/").status_code == 200
    entry = AuditEntry.objects.get(verb="role.set")
    assert (entry.old, entry.new) == ({"technician health:view": False}, {"technician health:view": True})


def test_another_tenant_has_its_own_table(tenant: Any, owner: Membership) -> None:
    browser(tenant, owner).post("/dashboard/staff/roles/", ticks(support__cuts_view=False))
    assert role_has("support", "cuts:view") is False
    with tenancy.tenant_context(factories.tenant_make().id):
        assert role_has("support", "cuts:view") is True


def test_an_owner_keeps_all_whatever_is_written(tenant: Any, owner: Membership) -> None:
    RoleOverride.objects.create(role="owner", permission="staff:roles", is_granted=False)
    assert role_has("owner", "staff:roles") is True
    assert permissions_of("owner") == set(PERMISSIONS)


def test_ones_own_account_is_nobodys_to_take(tenant: Any, owner: Membership) -> None:
    browser(tenant, owner).post("/dashboard/staff/roles/", ticks(support__account_own=False))
    RoleOverride.objects.create(role="support", permission="account:own", is_granted=False)
    assert role_has("support", "account:own") is True
    assert "account:own" in permissions_of("support")


def test_nobody_gives_what_he_has_not(tenant: Any, owner: Membership) -> None:
    browser(tenant, owner).post("/dashboard/staff/roles/", ticks(admin__system_events=False))
    admin = factories.staff_make(tenant, "admin")
    for role in ("admin", "support"):
        grant = {(role, "system:events")}
        with pytest.raises(DomainError):
            role_overrides_set(granted=grant, shown={"system:events"}, by=admin, actor=ACTOR)
    assert role_has("admin", "system:events") is False
    assert role_has("support", "system:events") is False


def test_a_role_that_may_more_than_oneself_cannot_be_given(tenant: Any, owner: Membership) -> None:
    browser(tenant, owner).post("/dashboard/staff/roles/", ticks(admin__cuts_hold=False))
    admin, support = factories.staff_make(tenant, "admin"), factories.staff_make(tenant, "support")
    with pytest.raises(DomainError):
        member_role_set(member_id=support.id, role="billing", by=admin, actor=ACTOR)
    member_role_set(member_id=support.id, role="technician", by=admin, actor=ACTOR)


def test_what_was_not_shown_stays_as_it_is(tenant: Any, owner: Membership) -> None:
    role_overrides_set(granted=set(), shown={"cuts:view"}, by=owner, actor=ACTOR)
    assert role_has("support", "cuts:view") is False
    assert role_has("support", "messages:view") is True


def test_what_the_tenant_says_of_roles_is_asked_once_a_request(tenant: Any, owner: Membership) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    there = browser(tenant, factories.staff_make(tenant, "support"))
    with CaptureQueriesContext(connection) as captured:
        there.get("/dashboard/")
    assert sum("accounts_roleoverride" in query["sql"] for query in captured) == 1

"""One valid row in every table of a tenant, made from what the models say of their fields.

A new model gets its rows without a line here. Where a field's type does not say enough, ``HINTS`` does, with the
reason; a model no row can be made for raises ``RowImpossible``, which fails every test that needs all tables filled.
Rows are written by raw SQL through any psycopg cursor, as the role ``app`` in the tenant's own context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg
from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.db import connection, models
from psycopg import sql

from accounts.models import Tenant
from ispbilling.kernel import clock
from ispbilling.kernel.crypto import EncryptedJSONField, EncryptedTextField
from ispbilling.kernel.ids import uuid7
from ispbilling.kernel.models import TenantForeignKey, TenantModel

Row = dict[str, Any]  # column → value as the database driver takes it

PASSWORD = "PLANTED-staff-password-71c4"
#: What a search for it finds: the first word of every customer's search tokens.
FINDABLE = "findable"
#: Where nothing listens: whoever calls it is refused at once.
NOWHERE = "http://127.0.0.1:1"

#: An instant that is still to come while the tests run.
FAR = datetime(2099, 1, 1, tzinfo=UTC)

_numbers = count(1)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class RowImpossible(AssertionError):
    """No valid row of a model could be made from its fields alone."""


class Hint(NamedTuple):
    """A field's value where its type does not say enough: the value or a function of the maker, and why."""

    value: Any
    reason: str
    is_first_empty: bool = False  # the first row's value is None, on purpose


def _config(registry: Any, name: str) -> Callable[[RowMaker], dict[str, str]]:
    def made(maker: RowMaker) -> dict[str, str]:
        fields = registry.get(name).config
        return {
            key: maker.secret(f"{name}.{key}") if one.secret else one.default or ("174379" if one.required else "")
            for key, one in fields.items()
        }

    return made


def _wallet_owner(maker: RowMaker) -> str:
    return str(maker.id_of("customers.Customer") if maker.is_first else uuid4())


def hints() -> dict[str, Hint]:
    from payments.providers.base import providers
    from sms.channels.base import channels

    phone = Hint(lambda maker: f"+254712{maker.number:06d}", "shown through the filter that reads E.164")
    nowhere = Hint(NOWHERE, "an address that is called")
    token = Hint(lambda _: uuid4().hex, "stands in the path of a hook")
    return {
        "accounts.Tenant.id": Hint(lambda maker: maker.tenant_id, "its own policy compares the id"),
        "accounts.Tenant.zone": Hint("Africa/Nairobi", "must be a time zone for its pages to show an instant"),
        "accounts.Tenant.country": Hint("KE", "telephone numbers are read by it"),
        "accounts.Tenant.language": Hint("en", "the wording of messages is chosen by it"),
        "accounts.Tenant.support_phone": phone,
        "accounts.Domain.host": Hint(lambda maker: f"house-{maker.number}.localhost", "a browser asks for it"),
        "accounts.User.email": Hint(lambda _: f"{uuid4().hex}@example.org", "one signs in with it"),
        "accounts.User.name": Hint(lambda maker: f"Amina {maker.number}", "a person may work for several tenants"),
        "accounts.User.language": Hint("", "his browser's"),
        "accounts.User.theme": Hint("", "his browser's"),
        "accounts.Invitation.email": Hint(lambda _: f"{uuid4().hex}@example.org", "an address"),
        "accounts.Invitation.role": Hint("support", "a role that others may give"),
        "accounts.Invitation.accepted_at": Hint(None, "can still be accepted"),
        "accounts.Invitation.withdrawn_at": Hint(None, "can still be accepted"),
        "accounts.RoleOverride.role": Hint("reseller", "a role that others may change"),
        "accounts.RoleOverride.permission": Hint(
            lambda maker: "system:events" if maker.is_first else f"x{maker.number}", "a permission the program knows"
        ),
        "accounts.RoleOverride.is_granted": Hint(False, "what is the default anyway: the table of permissions holds"),
        "accounts.User.password": Hint(lambda _: make_password(PASSWORD), "one signs in with it"),
        "accounts.User.is_active": Hint(True, "one signs in with it"),
        "accounts.ApiKey.revoked_at": Hint(None, "a key that is good is listed"),
        "accounts.Login.revoked_at": Hint(None, "a login that is good lets in"),
        "accounts.Login.scopes": Hint(None, "everything the role has"),
        "customers.Customer.deleted_at": Hint(None, "who was deleted is not shown"),
        "billing.Subscription.stopped_at": Hint(None, "who was deleted has a stopped line"),
        "accounts.Membership.role": Hint("owner", "the owner sees the most"),
        "billing.Invoice.net": Hint(Decimal(80), "check constraint: net + tax = total"),
        "billing.Invoice.tax": Hint(Decimal(20), "check constraint: net + tax = total"),
        "billing.Invoice.total": Hint(Decimal(100), "check constraint: net + tax = total"),
        "billing.Invoice.credited": Hint(Decimal(0), "check constraint: no more than the total; some can be credited"),
        "billing.CreditNote.net": Hint(Decimal(80), "check constraint: net + tax = total"),
        "billing.CreditNote.tax": Hint(Decimal(20), "check constraint: net + tax = total"),
        "billing.CreditNote.total": Hint(Decimal(100), "check constraint: net + tax = total"),
        "billing.Subscription.next_package": Hint(
            lambda maker: maker.id_of("packages.Package"), "check constraint: an ordered change has its instant"
        ),
        "billing.Subscription.package_changes_at": Hint(FAR, "an ordered change that can be taken back"),
        "billing.Subscription.expires_at": Hint(FAR, "what is paid for ends where the ordered change begins"),
        "packages.Package.features": Hint([], "lines of text"),
        "packages.Package.discounts": Hint({}, "per cent by number of periods"),
        "accounts.Tenant.brand_color": Hint("#1d5fd1", "a colour"),
        "accounts.Tenant.logo_digest": Hint("", "without a logo", True),
        "accounts.Logo.content": Hint(b"\x89PNG\r\n\x1a\n", "bytes"),
        "accounts.Logo.media_type": Hint("image/png", "a kind browsers know"),
        "billing.Receipt.customer": Hint(lambda maker: maker.id_of("customers.Customer"), "he sees it"),
        "billing.Receipt.returned_at": Hint(None, "money that can be attached was not given back"),
        "billing.LedgerAccount.owner": Hint(_wallet_owner, "the first is the customer's wallet"),
        "billing.CutStop.released_at": Hint(
            lambda maker: None if maker.is_first else clock.machine_now(), "one is open, and can be released", True
        ),
        "billing.RechargeOption.periods": Hint(
            lambda maker: 1 if maker.is_first else maker.number % 30_000 + 2, "a price a gateway takes"
        ),
        "customers.CodeCounter.last": Hint(1000, "the next code is made from it"),
        "customers.Customer.language": Hint("en", "the wording of messages is chosen by it"),
        "customers.CustomerPhone.is_primary": Hint(lambda maker: maker.is_first, "the number pages show"),
        "customers.CustomerPhone.number": phone,
        "customers.SearchToken.token": Hint(lambda maker: f"{FINDABLE}{maker.number}", "is searched for"),
        "customers.Customer.standing": Hint("active", "a state the program knows"),
        "customers.Document.deleted_at": Hint(None, "what was taken away is not listed"),
        "customers.Document.kind": Hint("image/png", "a kind the program knows"),
        "customers.Note.deleted_at": Hint(None, "what was taken away is not listed"),
        "dashboard.SavedView.query": Hint("standing=active", "a question the list knows"),
        "dashboard.SavedView.is_shared": Hint(True, "everybody sees it"),
        "dashboard.FirstView.user": Hint(
            lambda maker: maker.fresh(apps.get_model("accounts.User"))["id"], "somebody else's list opens with it"
        ),
        "kernel.BulkJob.state": Hint("done", "can be tried again and taken back"),
        "kernel.BulkRow.state": Hint("failed", "can be tried again"),
        "kernel.BulkJob.action": Hint("stop", "an action the program knows"),
        "kernel.BulkJob.parameters": Hint({}, "what that action takes"),
        "kernel.BulkRow.target": Hint(
            lambda maker: maker.id_of("customers.Customer") if maker.is_first else uuid4(), "whom it is done to"
        ),
        "kernel.Event.name": Hint("billing.receipt_booked", "a name the program knows"),
        "kernel.Event.state": Hint("parked", "the state staff see"),
        "network.Drift.outcome": Hint("open", "what is left can be put right"),
        "network.Router.drift_policy": Hint("correct", "a rule the program knows"),
        "network.Line.applied_level": Hint("full", "a level the program knows"),
        "network.Router.driver": Hint("mikrotik", "a driver the program knows"),
        "network.Router.host": Hint("127.0.0.1", "an address that is called"),
        "network.Router.port": Hint(1, "nothing listens there"),
        "network.Router.lease": Hint(None, "a leased router is not contacted"),
        "network.Router.lease_holder": Hint("", "a leased router is not contacted", True),
        "network.Router.lease_until": Hint(None, "a leased router is not contacted"),
        "network.Router.retry_at": Hint(None, "a resting router is not contacted"),
        "network.Session.stopped_at": Hint(None, "open sessions are counted"),
        "payments.Payment.phone": phone,
        "payments.Payment.purpose": Hint("recharge", "a purpose the program knows"),
        "payments.Payment.purpose_id": Hint(lambda maker: maker.id_of("billing.Recharge"), "its page looks it up"),
        "payments.PaymentAttempt.token": token,
        "payments.ProviderAccount.base_url": nowhere,
        "payments.ProviderAccount.config": Hint(_config(providers, "mpesa"), "what the gateway's adapter wants"),
        "payments.ProviderAccount.provider": Hint("mpesa", "a gateway the program knows"),
        "payments.PaymentAttempt.asked_at": Hint(None, "nobody asked a moment ago"),
        "payments.StatementLine.receipt_family": Hint("mpesa", "the family of its account's receipts"),
        "payments.ProviderAccount.statement_due_at": Hint(None, "a statement is read from the gateway"),
        "payments.ProviderAccount.silent_since": Hint(None, "that it does not answer is written down when it is asked"),
        "payments.ProviderAccount.token": token,
        "portal.LoginCode.phone": phone,
        "portal.Lead.phone": phone,
        "portal.Lead.state": Hint("open", "it can be decided"),
        "sms.ChannelAccount.base_url": nowhere,
        "sms.ChannelAccount.channel": Hint("africastalking", "a channel the program knows"),
        "sms.ChannelAccount.config": Hint(_config(channels, "africastalking"), "what the channel's adapter wants"),
        "sms.ChannelAccount.token": token,
        "sms.Message.state": Hint("failed", "can be sent again"),
        "sms.Message.to": phone,
        "sms.Message.next_try_at": Hint(None, "nothing is to be sent"),
    }  # fmt: skip


def _balanced(leg: Row) -> list[Row]:
    return [leg, {**leg, "id": uuid7(), "amount": -leg["amount"]}]


#: Rows that must be written together with others, by label: the trigger of the ledger adds up each statement's legs.
COMPANIONS: dict[str, Callable[[Row], list[Row]]] = {"billing.LedgerLeg": _balanced}


def tenant_models() -> list[type[models.Model]]:
    """Every model that has a table of its own behind the walls."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if (issubclass(model, TenantModel) or hasattr(model, "wall_column"))
        and model._meta.managed
        and not model._meta.proxy
    ]


class RowMaker:
    """Makes rows of one tenant. ``mark`` is one rare character that begins every free text: what to look for."""

    def __init__(self, cursor: psycopg.Cursor[Any], tenant_id: UUID, mark: str) -> None:
        self.cursor = cursor
        self.tenant_id = tenant_id
        self.mark = mark
        self.rows: dict[type[models.Model], Row] = {}
        self.secrets: dict[str, str] = {}
        self.number = 0
        self.is_first = True
        self._hints = hints()
        self._making: list[type[models.Model]] = []

    @classmethod
    def open(cls, cursor: psycopg.Cursor[Any], mark: str) -> RowMaker:
        """A new tenant, in whose context the cursor then is."""
        maker = cls(cursor, uuid7(), mark)
        maker.enter()
        maker.row(Tenant)
        return maker

    def on(self, cursor: psycopg.Cursor[Any]) -> RowMaker:
        """The same tenant through another connection, which enters its context."""
        other = RowMaker(cursor, self.tenant_id, self.mark)
        other.rows, other.secrets = dict(self.rows), dict(self.secrets)
        other.enter()
        return other

    def enter(self) -> None:
        self.cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [str(self.tenant_id)])

    def every(self) -> RowMaker:
        """A row in each tenant table."""
        for model in tenant_models():
            self.row(model)
        return self

    def id_of(self, model: str | type[models.Model]) -> Any:
        row = self.row(model)
        found: type[models.Model] = apps.get_model(model) if isinstance(model, str) else model
        return row[found._meta.pk.column]  # type: ignore[union-attr]

    def row(self, model: str | type[models.Model]) -> Row:
        """The tenant's first row of a model, made when there is none yet."""
        found: type[models.Model] = apps.get_model(model) if isinstance(model, str) else model
        if found not in self.rows:
            self.rows[found] = self.fresh(found)
        return self.rows[found]

    def fresh(self, model: type[models.Model], **given: Any) -> Row:
        """One more row, with values that clash with no other."""
        values = self.values(model, **given)
        try:
            self.cursor.execute(*statement(model, values))
        except psycopg.Error as error:
            raise RowImpossible(f"{model._meta.label}: {error}. A hint in tests/house/rows.py helps.") from error
        return values

    def values(self, model: type[models.Model], **given: Any) -> Row:
        """The values of one more row; its parents are made, itself it is not. ``given`` goes by field name."""
        if model in self._making:
            raise RowImpossible(f"{model._meta.label} refers to itself in a ring. A hint in tests/house/rows.py helps.")
        self._making.append(model)
        try:
            return {column: value for field in model._meta.local_concrete_fields
                    for column, value in self._column(model, field, given)}  # fmt: skip
        finally:
            self._making.pop()

    def _column(self, model: type[models.Model], field: Any, given: Row) -> Iterator[tuple[str, Any]]:
        if field.name in given:
            yield field.column, given[field.name]
        elif field.generated or field.db_default is not models.NOT_PROVIDED or isinstance(field, models.AutoField):
            return
        else:
            self.number, self.is_first = next(_numbers), model not in self.rows
            yield field.column, field.get_db_prep_save(self._value(model, field), connection)

    def _value(self, model: type[models.Model], field: Any) -> Any:
        hint = self._hints.get(f"{model._meta.label}.{field.name}")
        if hint is not None:
            return hint.value(self) if callable(hint.value) else hint.value
        if field.is_relation:
            return self._parent(model, field)
        if isinstance(field, EncryptedJSONField):
            return {"secret": self.secret(f"{model._meta.label}.{field.name}")}
        if isinstance(field, EncryptedTextField):
            return self.secret(f"{model._meta.label}.{field.name}")
        if field.choices:
            return field.get_default() if field.has_default() else field.flatchoices[0][0]
        return self._plain(model, field)

    def _parent(self, model: type[models.Model], field: Any) -> Any:
        target = field.related_model
        if target is Tenant:
            return self.tenant_id
        if target is model:
            return None
        if model in self.rows and _is_alone_unique(model, field):
            return self.fresh(target)[field.target_field.column]
        return self.row(target)[field.target_field.column]

    def _plain(self, model: type[models.Model], field: Any) -> Any:
        if isinstance(field, models.CharField | models.TextField | models.FileField):
            if getattr(field, "max_length", None) == 3 and type(field).__name__ == "CurrencyField":
                return "KES"
            return self.text(field.name, field.max_length)
        if isinstance(field, models.JSONField):
            default = field.get_default() if field.has_default() else {}
            return {"text": self.text(field.name)} if isinstance(default, dict) else default
        if field.has_default():
            return field.get_default()
        if isinstance(field, models.BooleanField):
            return bool(field.null)  # a question that may stay unanswered is answered with yes
        if isinstance(field, models.DateTimeField):
            return datetime.now(UTC)
        if isinstance(field, models.DateField):
            return datetime.now(UTC).date()
        if isinstance(field, models.UUIDField):
            return uuid4()
        if isinstance(field, models.DecimalField):
            return Decimal(self.number % 90 + 1)
        if isinstance(field, models.IntegerField | models.FloatField):
            return self.number % 30_000 + 1
        if isinstance(field, models.BinaryField):
            return self.text(field.name).encode()
        if isinstance(field, models.GenericIPAddressField):
            return f"10.{self.number // 65536 % 256}.{self.number // 256 % 256}.{self.number % 256}"
        raise RowImpossible(
            f"{model._meta.label}.{field.name}: nobody here knows a {type(field).__name__}; "
            "it needs a hint in tests/house/rows.py"
        )

    def text(self, name: str, limit: int | None = None) -> str:
        """A text nobody else has: the tenant's mark, a number, and what it is for as far as there is room."""
        return f"{self.mark}{_base36(self.number)} {name}"[:limit].strip()

    def secret(self, name: str) -> str:
        """A secret nobody else has, remembered by what it is for."""
        return self.secrets.setdefault(name, f"PLANTED-{uuid4().hex}")


def statement(model: type[models.Model], values: Row) -> tuple[sql.Composed, list[Any]]:
    """The one INSERT of a row, with those that must come along."""
    rows = COMPANIONS.get(model._meta.label, lambda row: [row])(values)
    line = sql.SQL("({})").format(sql.SQL(", ").join(sql.Placeholder() * len(values)))
    text = sql.SQL("INSERT INTO {} ({}) VALUES {}").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join([line] * len(rows)),
    )
    return text, [value for row in rows for value in row.values()]


def tenant_references() -> list[tuple[type[models.Model], Any]]:
    """(model, field) of every relation from one tenant table to another."""
    return [
        (model, field)
        for model in tenant_models()
        for field in model._meta.local_concrete_fields
        if field.is_relation and issubclass(field.related_model, TenantModel)
    ]


def key_name(model: type[models.Model], field: TenantForeignKey) -> str:
    """The composite constraint of a reference."""
    return f"{model._meta.db_table}_{field.column}_same_tenant"[:63]


def is_one_per_tenant(model: type[models.Model]) -> bool:
    """Whether a tenant has but one row of it."""
    return model is Tenant or any(tuple(getattr(one, "fields", ())) == ("tenant",) for one in model._meta.constraints)


def _is_alone_unique(model: type[models.Model], field: Any) -> bool:
    """Whether some uniqueness hangs on this reference with nothing but references beside it."""
    keys = [set(one.fields) for one in model._meta.constraints if isinstance(one, models.UniqueConstraint)]
    keys += [set(names) for names in model._meta.unique_together]
    keys += [{one.name} for one in model._meta.local_concrete_fields if one.unique and not one.primary_key]
    return any(
        field.name in key and all(model._meta.get_field(name).is_relation for name in key) for key in keys
    )  # fmt: skip


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return digits or "0"

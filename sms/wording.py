"""What messages say, by code and language. A tenant's ``Template`` row of the same code replaces a text."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

#: Kinds of messages that have no wording: a person typed them, or an account is tried.
WRITTEN, TEST = "written", "test"

#: What each name means to whoever writes a wording, and a value to try it with.
FIELDS: dict[str, tuple[str | Promise, str]] = {
    "isp": (_("Your name"), "Savanna Net"),
    "name": (_("The customer's name"), "Jane Wanjiku"),
    "code": (_("The customer's code, or the one-time code"), "482915"),
    "amount": (_("The amount, with its currency"), "KES 1,500.00"),
    "receipt": (_("The number of the receipt"), "SGR7XK2M4P"),
    "wallet": (_("What is in the wallet now"), "KES 250.00"),
    "expires": (_("When the time runs out"), "24 Dec 2026 18:05"),
    "days": (_("How many days are left"), "3"),
    "count": (_("How many customers would be cut"), "48"),
    "active": (_("How many customers are active"), "310"),
    "detail": (_("What happened"), "2:15:00"),
}


@dataclass(frozen=True, slots=True)
class Wording:
    """``sentence`` is its name for staff, which tells when it is sent; ``fields`` are what
    ``texts`` may name in braces, ``needed`` must."""

    sentence: str | Promise
    fields: frozenset[str]
    texts: dict[str, str]
    needed: frozenset[str] = field(default_factory=frozenset)


WORDINGS = {
    "payment_received": Wording(
        _("Payment received, time added"),
        frozenset({"name", "amount", "receipt", "expires", "isp"}),
        {
            "en": "{isp}: we received {amount} ({receipt}). You are online until {expires}. Thank you, {name}.",
            "sw": "{isp}: tumepokea {amount} ({receipt}). Uko mtandaoni hadi {expires}. Asante, {name}.",
            "bn": "{isp}: {amount} পেয়েছি ({receipt})। {expires} পর্যন্ত ইন্টারনেট চালু থাকবে। ধন্যবাদ, {name}।",
            "fil": "{isp}: natanggap namin ang {amount} ({receipt}). Online ka hanggang {expires}. Salamat, {name}.",
        },
    ),
    "payment_kept": Wording(
        _("Payment received, kept in the wallet"),
        frozenset({"name", "amount", "receipt", "wallet", "isp"}),
        {
            "en": "{isp}: we received {amount} ({receipt}). Your balance is {wallet}.",
            "sw": "{isp}: tumepokea {amount} ({receipt}). Salio lako ni {wallet}.",
            "bn": "{isp}: {amount} পেয়েছি ({receipt})। আপনার ব্যালেন্স {wallet}।",
            "fil": "{isp}: natanggap namin ang {amount} ({receipt}). Ang balanse mo ay {wallet}.",
        },
    ),
    "expiry_near": Wording(
        _("Subscription runs out soon"),
        frozenset({"name", "days", "expires", "isp", "code"}),
        {
            "en": "{isp}: {name}, your internet ends on {expires} ({days} days left). Pay with account {code}.",
            "sw": "{isp}: {name}, intaneti yako inaisha {expires} (siku {days}). Lipa kwa akaunti {code}.",
            "bn": "{isp}: {name}, আপনার ইন্টারনেট {expires} শেষ হবে ({days} দিন বাকি)। অ্যাকাউন্ট {code} দিয়ে পরিশোধ করুন।",
            "fil": "{isp}: {name}, matatapos ang internet mo sa {expires} ({days} araw na lang). Account {code}.",
        },
    ),
    "suspended": Wording(
        _("Subscription ran out"),
        frozenset({"name", "expires", "isp", "code"}),
        {
            "en": "{isp}: {name}, your internet ended on {expires}. Pay with account {code} to be back at once.",
            "sw": "{isp}: {name}, intaneti yako iliisha {expires}. Lipa kwa akaunti {code} kurudi mara moja.",
            "bn": "{isp}: {name}, আপনার ইন্টারনেট {expires} শেষ হয়েছে। চালু করতে অ্যাকাউন্ট {code} দিয়ে পরিশোধ করুন।",
            "fil": "{isp}: {name}, natapos ang internet mo noong {expires}. Magbayad gamit ang account {code}.",
        },
    ),
    "renewed": Wording(
        _("Subscription renewed from the wallet"),
        frozenset({"name", "amount", "expires", "isp"}),
        {
            "en": "{isp}: {name}, we renewed your internet from your balance ({amount}), until {expires}.",
            "sw": "{isp}: {name}, tumeongeza intaneti yako kutoka salio lako ({amount}), hadi {expires}.",
            "bn": "{isp}: {name}, আপনার ব্যালেন্স থেকে ({amount}) ইন্টারনেট {expires} পর্যন্ত নবায়ন হয়েছে।",
            "fil": "{isp}: {name}, na-renew ang internet mo mula sa balanse mo ({amount}), hanggang {expires}.",
        },
    ),
    "cuts_stopped": Wording(
        _("To staff: cutting stopped, too many at once"),
        frozenset({"count", "active", "isp"}),
        {
            "en": "{isp}: {count} of {active} customers would be cut now. Nobody was. Please look and release.",
            "sw": "{isp}: wateja {count} kati ya {active} wangekatwa sasa. Hakuna aliyekatwa. Tafadhali angalia.",
            "bn": "{isp}: {active} গ্রাহকের মধ্যে {count} জনের সংযোগ এখন কাটা যেত। কারও কাটা হয়নি। দেখে অনুমোদন দিন।",
            "fil": "{isp}: {count} sa {active} customer ang puputulin sana ngayon. Wala pang naputol. Pakitingnan.",
        },
    ),
    "cuts_stopped_clock": Wording(
        _("To staff: cutting stopped, the server's clock jumped"),
        frozenset({"detail", "isp"}),
        {
            "en": "{isp}: the server's clock jumped by {detail}. Nobody is cut until you look and release.",
            "sw": "{isp}: saa ya seva imeruka kwa {detail}. Hakuna anayekatwa hadi uangalie na kuruhusu.",
            "bn": "{isp}: সার্ভারের ঘড়ি {detail} সরে গেছে। আপনি দেখে অনুমোদন না দিলে কারও সংযোগ কাটা হবে না।",
            "fil": "{isp}: tumalon ang orasan ng server nang {detail}. Walang puputulin hangga't di mo nire-release.",
        },
    ),
    "cuts_stopped_time": Wording(
        _("To staff: cutting stopped, the server's clock is not set"),
        frozenset({"isp"}),
        {
            "en": "{isp}: the server's clock is not set. Nobody is cut until it is. Check its time service.",
            "sw": "{isp}: saa ya seva haijawekwa. Hakuna anayekatwa hadi iwekwe. Angalia intaneti na huduma ya saa.",
            "bn": "{isp}: সার্ভারের ঘড়ি ঠিক নেই। ঠিক না হওয়া পর্যন্ত কারও সংযোগ কাটা হবে না। সময় সেবা দেখুন।",
            "fil": "{isp}: hindi pa tama ang orasan ng server. Walang puputulin hangga't hindi naitatama. Pakitingnan.",
        },
    ),
    "cuts_stopped_gateway": Wording(
        _("To staff: cutting stopped, a gateway is silent"),
        frozenset({"detail", "isp"}),
        {
            "en": "{isp}: {detail} does not answer, so payments may not arrive. Nobody is cut until it does.",
            "sw": "{isp}: {detail} haijibu, malipo yanaweza yasifike. Hakuna anayekatwa hadi ijibu.",
            "bn": "{isp}: {detail} সাড়া দিচ্ছে না, পেমেন্ট নাও আসতে পারে। সাড়া না দেওয়া পর্যন্ত কারও সংযোগ কাটা হবে না।",
            "fil": "{isp}: hindi sumasagot ang {detail}, baka di dumating ang bayad. Walang puputulin hangga't ganoon.",
        },
    ),
    "portal_code": Wording(
        _("Customer signs in to the portal"),
        frozenset({"code", "isp"}),
        {
            "en": "{isp}: your code is {code}. It is good for 10 minutes. Tell it to nobody.",
            "sw": "{isp}: msimbo wako ni {code}. Unatumika kwa dakika 10. Usimwambie mtu.",
            "bn": "{isp}: আপনার কোড {code}। ১০ মিনিট কার্যকর। কাউকে বলবেন না।",
            "fil": "{isp}: ang code mo ay {code}. May bisa nang 10 minuto. Huwag ibahagi.",
        },
        needed=frozenset({"code"}),
    ),
}


def text_of(code: str, language: str) -> str:
    """The built-in text, in English where the language has none. Raises KeyError for an unknown code."""
    texts = WORDINGS[code].texts
    return texts.get(language, texts["en"])


def kind_label(code: str) -> str:
    """What a kind of message is called on pages; one the program no longer knows by its code."""
    if code == WRITTEN:
        return gettext("Written by staff")
    if code == TEST:
        return gettext("Test of an account")
    return str(WORDINGS[code].sentence) if code in WORDINGS else code

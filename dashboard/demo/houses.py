"""The providers of the demo: what each sells, where, through what, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from zoneinfo import ZoneInfo

from dashboard.demo.people import BANGLADESH, KENYA, Country


@dataclass(frozen=True, slots=True)
class Offer:
    """A package. ``share``: how many of a hundred customers take it; rates in kilobits per second."""

    name: str
    price: Decimal
    unit: str
    count: int
    download_kbps: int
    upload_kbps: int
    share: int
    description: str = ""


@dataclass(frozen=True, slots=True)
class House:
    """One provider. ``routers`` are names among the simulators; ``takes_mpesa``: else cash over the counter only."""

    name: str
    slug: str
    currency: str
    zone: str
    country_code: str
    language: str
    country: Country
    support_phone: str
    offers: tuple[Offer, ...]
    routers: tuple[str, ...]
    customers: int
    takes_mpesa: bool
    suspension_mode: str
    hosts: tuple[str, ...] = ()
    staff: tuple[str, ...] = ()

    @property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


SAVANNA = House(
    name="Savanna Net",
    slug="savanna",
    currency="KES",
    zone="Africa/Nairobi",
    country_code="KE",
    language="en",
    country=KENYA,
    support_phone="+254749900000",
    offers=(
        Offer("Home 10", Decimal(1500), "month", 1, 10_000, 5_000, 44, "For a family that watches in the evening."),
        Offer("Basic 5", Decimal(1000), "day", 30, 5_000, 2_000, 26, "Mail, news and calls."),
        Offer("Family 20", Decimal(2500), "month", 1, 20_000, 10_000, 18, "Several screens at once."),
        Offer("Business 50", Decimal(6000), "month", 1, 50_000, 25_000, 5, "Shops, schools and offices."),
        Offer("Week 8", Decimal(450), "day", 7, 8_000, 4_000, 7, "Seven days, no more."),
    ),
    routers=("tower", "hill", "ridge"),
    customers=300,
    takes_mpesa=True,
    suspension_mode="walled",
    hosts=("127.0.0.1", "localhost", "savanna.localhost"),
    staff=("Naomi Were", "Felix Mwangi", "Mary Wambui", "Hussein Ali", "Tom Otieno", "Ann Moraa"),
)

PADMA = House(
    name="পদ্মা অনলাইন",
    slug="padma",
    currency="BDT",
    zone="Asia/Dhaka",
    country_code="BD",
    language="bn",
    country=BANGLADESH,
    support_phone="+8801199900000",
    offers=(
        Offer("হোম ১৫", Decimal(630), "month", 1, 15_000, 15_000, 55),
        Offer("ফ্যামিলি ৩০", Decimal(1050), "month", 1, 30_000, 30_000, 35),
        Offer("অফিস ৬০", Decimal(2100), "month", 1, 60_000, 60_000, 10),
    ),
    routers=("gulshan",),
    customers=40,
    takes_mpesa=False,
    suspension_mode="blocked",
    hosts=("padma.localhost",),
    staff=("Farid Ahmed", "Nadia Islam", "Rehana Begum", "Arif Hossain", "Sohel Rana", "Lamia Khan"),
)


def houses(*, is_small: bool) -> tuple[House, ...]:
    """All of them, or a town of one router and twelve customers."""
    if is_small:
        weekly = tuple(
            replace(offer, share=10 * offer.share if offer.count == 7 else offer.share) for offer in SAVANNA.offers
        )
        return (replace(SAVANNA, routers=("tower",), customers=12, offers=weekly),)
    return (SAVANNA, PADMA)

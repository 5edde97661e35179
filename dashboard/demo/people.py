"""Names, places and numbers that are plausible where the demo's providers are. Data, and draws from it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Country:
    """Who lives there and where. ``phone``: E.164 digits before the subscriber's own, of a range no operator sells.

    ``given`` and ``family`` are (as written, in Latin letters): user names are made of the latter.
    """

    given: tuple[tuple[str, str], ...]
    family: tuple[tuple[str, str], ...]
    areas: tuple[str, ...]
    streets: tuple[str, ...]
    house: str
    phone: str
    phone_digits: int


def _latin(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, name) for name in text.split())


KENYA = Country(
    given=_latin(
        "Jane Otieno Fatuma Kamau Achieng Mutua Zawadi Barasa Naserian Salim Grace Peter Mercy Brian Faith Kevin"
        " Wanjiru Kiprono Akinyi Moses Esther Joseph Amina Daniel Lilian Samuel Beatrice Hassan Purity Dennis Caroline"
        " Victor Winnie Collins Joyce Evans Halima Stephen Nancy Paul Ruth Ibrahim Sharon James Agnes Charles"
    ),
    family=_latin(
        "Wanjiku Odhiambo Hassan Njoroge Atieno Mwangi Kilonzo Wekesa Lekuta Omar Chebet Kariuki Nyambura Cheruiyot"
        " Mutiso Onyango Kimani Wafula Maina Koech Njeri Ochieng Mohamed Karanja Muthoni Rotich Musyoka Owino Gathoni"
        " Simiyu Langat Waweru Auma Kiptoo Ndungu Nafula Makena Abdi Githinji Adhiambo"
    ),
    areas=(
        "Kasarani", "Roysambu", "Zimmerman", "Githurai 45", "Kahawa West", "Mwiki", "Umoja II", "Donholm", "Pipeline",
        "Ruaka", "Kawangware", "Rongai", "Utawala", "Embakasi", "Lucky Summer", "Dandora", "Ngara", "Kitengela",
    ),
    streets=(
        "Mwiki Road", "Thika Road", "Kamiti Road", "Hunters Lane", "Jacaranda Close", "Station Road", "Chief's Road",
        "Sunton Avenue", "Moi Drive", "Market Street", "Church Lane", "Ngumba Road", "Outer Ring Road", "School Lane",
    ),
    house="House {number}, {street}, {area}",
    phone="254749",  # given out once and not in service
    phone_digits=6,
)  # fmt: skip

BANGLADESH = Country(
    given=(
        ("রফিকুল", "Rafiqul"), ("সালমা", "Salma"), ("আবদুল", "Abdul"), ("নাসরিন", "Nasrin"), ("জাহিদ", "Zahid"),
        ("ফারহানা", "Farhana"), ("মিজানুর", "Mizanur"), ("শারমিন", "Sharmin"), ("তানভীর", "Tanvir"), ("রুবিনা", "Rubina"),
        ("কামরুল", "Kamrul"), ("সাবিনা", "Sabina"), ("ইমরান", "Imran"), ("মৌসুমী", "Mousumi"), ("শফিকুল", "Shafiqul"),
        ("আয়েশা", "Ayesha"), ("হাবিবুর", "Habibur"), ("তাসনিম", "Tasnim"), ("সুমন", "Suman"), ("পারভীন", "Parvin"),
    ),
    family=(
        ("ইসলাম", "Islam"), ("আক্তার", "Akter"), ("রহমান", "Rahman"), ("খাতুন", "Khatun"), ("হোসেন", "Hossain"),
        ("বেগম", "Begum"), ("আহমেদ", "Ahmed"), ("চৌধুরী", "Chowdhury"), ("সরকার", "Sarkar"), ("মিয়া", "Mia"),
        ("দাস", "Das"), ("উদ্দিন", "Uddin"), ("খান", "Khan"), ("সুলতানা", "Sultana"),
    ),
    areas=("মিরপুর ১০", "মোহাম্মদপুর", "উত্তরা সেক্টর ৭", "বাড্ডা", "রামপুরা", "খিলগাঁও", "যাত্রাবাড়ী", "ধানমন্ডি"),
    streets=("রোড ২", "রোড ৫", "রোড ১১", "মসজিদ গলি", "স্কুল রোড", "বাজার রোড", "লেক রোড"),
    house="বাসা {number}, {street}, {area}",
    phone="88011",  # its operator gave its licence back years ago
    phone_digits=8,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """``phone`` in E.164; ``login`` is the name of the line."""

    name: str
    phone: str
    address: str
    email: str
    login: str


def person(country: Country, number: int, dice: Random) -> Person:
    """The customer with this running number: everyone has a telephone and a login of his own."""
    given, family = dice.choice(country.given), dice.choice(country.family)
    latin = f"{given[1]}.{family[1]}".lower()
    return Person(
        name=f"{given[0]} {family[0]}",
        phone=f"+{country.phone}{number + 1:0{country.phone_digits}d}",
        address=country.house.format(
            number=dice.randint(1, 96), street=dice.choice(country.streets), area=dice.choice(country.areas)
        ),
        email=f"{latin}.{number + 1}@example.com" if dice.random() < 0.4 else "",
        login=f"{latin}.{number + 1}",
    )

"""Invented names. Any likeness to a company or person is chance."""

import itertools
from collections.abc import Iterator

FIRST = (
    "Halden Aerospace", "Norvik Shipping", "Brightwater Health", "Corvane Bank", "Ostrel Energy",
    "Meridale Rail", "Pinecrest Insurance", "Vantor Labs", "Quillon Software", "Saltmarsh Ports",
    "Tallow & Finch", "Kestrel Logistics", "Ravello Foods", "Ferrous Dynamics",
    "Dunmore University", "Orska Mining", "Aldergate Capital", "Bluefen Water", "Cindermoor Steel",
    "Lindqvist Medical",
)  # fmt: skip
PLACES = (
    "Ashdown", "Bellmere", "Calloway", "Dovrefell", "Eastmarch", "Fennimore", "Glenrath",
    "Hartsvale", "Inverlea", "Juniper Bay", "Kilmarra", "Lowenstadt", "Marlowe", "Northolm",
    "Oakhaven", "Pellworth", "Quarrydale", "Rosenau", "Silverton", "Thornbury", "Umberleigh",
    "Valmonte", "Westerby", "Yarrow", "Zellwood", "Arkwright", "Brackenridge", "Coldwater",
    "Drayton", "Elmsford", "Fairhollow", "Greywick", "Hollin", "Ironbridge", "Kaldor", "Lakemont",
    "Montclare", "Nettleton", "Ormsby", "Penhallow",
)  # fmt: skip
TRADES = (
    "Robotics", "Freight", "Pharma", "Utilities", "Telecom", "Insurance", "Foods", "Aviation",
    "Media", "Chemicals", "Retail", "Semiconductors", "Clinics", "Holdings", "Motors", "Textiles",
    "Biotech", "Networks", "Shipyards", "Publishing", "Timber", "Instruments", "Payments",
    "Outfitters", "Systems", "Hotels", "Academy", "Agritech", "Studios", "Optics",
)  # fmt: skip
GIVEN = (
    "Kari", "Mikkel", "Ingrid", "Dario", "Yuki", "Omar", "Elena", "Tobias", "Farah", "Nils",
    "Chidi", "Hana", "Pavel", "Lucia", "Arjun", "Maeve", "Santiago", "Wei", "Aisha", "Bram",
    "Clara", "Devon", "Esme", "Goran", "Imani", "Joon", "Katya", "Leila", "Marek", "Nadia",
)  # fmt: skip
FAMILY = (
    "Solberg", "Dahl", "Vik", "Ferrari", "Tanaka", "Haddad", "Petrova", "Brandt", "Siddiqui",
    "Lund", "Okafor", "Kobayashi", "Novotny", "Moreno", "Mehta", "Gallagher", "Rojas", "Zhang",
    "Bello", "de Vries", "Fischer", "Marsh", "Whitlock", "Horvat", "Mwangi", "Park", "Ivanova",
    "Rahimi", "Kowalski", "Benali",
)  # fmt: skip


def companies() -> Iterator[str]:
    """Yield names for ever, none twice."""
    yield from FIRST
    places, trades = len(PLACES), len(TRADES)
    for round_ in itertools.count():
        for i in range(places * trades):
            # Neighbours in the list share neither place nor trade.
            place, trade = PLACES[i % places], TRADES[(i * 7 + i // places) % trades]
            yield f"{place} {trade}" if round_ == 0 else f"{place} {trade} {round_ + 1}"

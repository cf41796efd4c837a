"""Names of countries and what is called after them: "Norway", "Norwegian". Enough to tell a place from a person."""

from __future__ import annotations

from rag_geo.text.quantities import listed

_ADJECTIVES = {
    country: adjective
    for entry in listed(
        """afghanistan afghan;albania albanian;algeria algerian;angola angolan;argentina argentine;armenia armenian;
    australia australian;austria austrian;azerbaijan azerbaijani;bahrain bahraini;bangladesh bangladeshi;belarus
    belarusian;belgium belgian;benin beninese;bhutan bhutanese;bolivia bolivian;bosnia bosnian;botswana botswanan;
    brazil brazilian;brunei bruneian;bulgaria bulgarian;burundi burundian;cambodia cambodian;cameroon cameroonian;
    canada canadian;chad chadian;chile chilean;china chinese;colombia colombian;congo congolese;costa_rica
    costa_rican;croatia croatian;cuba cuban;cyprus cypriot;czechia czech;denmark danish;ecuador ecuadorian;egypt
    egyptian;eritrea eritrean;estonia estonian;ethiopia ethiopian;fiji fijian;finland finnish;france french;gabon
    gabonese;gambia gambian;georgia georgian;germany german;ghana ghanaian;greece greek;guatemala guatemalan;guinea
    guinean;guyana guyanese;haiti haitian;honduras honduran;hungary hungarian;iceland icelandic;india indian;indonesia
    indonesian;iran iranian;iraq iraqi;ireland irish;israel israeli;italy italian;jamaica jamaican;japan japanese;
    jordan jordanian;kazakhstan kazakh;kenya kenyan;kosovo kosovan;kuwait kuwaiti;kyrgyzstan kyrgyz;laos laotian;
    latvia latvian;lebanon lebanese;liberia liberian;libya libyan;lithuania lithuanian;luxembourg luxembourgish;
    madagascar malagasy;malawi malawian;malaysia malaysian;maldives maldivian;mali malian;malta maltese;mauritania
    mauritanian;mauritius mauritian;mexico mexican;moldova moldovan;mongolia mongolian;montenegro montenegrin;morocco
    moroccan;mozambique mozambican;myanmar burmese;namibia namibian;nepal nepalese;netherlands dutch;new_zealand
    new_zealand;nicaragua nicaraguan;niger nigerien;nigeria nigerian;north_korea north_korean;north_macedonia
    macedonian;norway norwegian;oman omani;pakistan pakistani;palestine palestinian;panama panamanian;paraguay
    paraguayan;peru peruvian;philippines philippine;poland polish;portugal portuguese;qatar qatari;romania romanian;
    russia russian;rwanda rwandan;saudi_arabia saudi;senegal senegalese;serbia serbian;sierra_leone sierra_leonean;
    singapore singaporean;slovakia slovak;slovenia slovenian;somalia somali;south_africa south_african;south_korea
    south_korean;soviet_union soviet;spain spanish;sri_lanka sri_lankan;sudan sudanese;suriname surinamese;sweden
    swedish;switzerland swiss;syria syrian;taiwan taiwanese;tajikistan tajik;tanzania tanzanian;thailand thai;togo
    togolese;tunisia tunisian;turkey turkish;turkmenistan turkmen;uganda ugandan;ukraine ukrainian;united_kingdom
    british;united_states american;uruguay uruguayan;uzbekistan uzbek;venezuela venezuelan;vietnam vietnamese;yemen
    yemeni;zambia zambian;zimbabwe zimbabwean;europe european;africa african;asia asian;america american;korea korean;
    england english;scotland scottish;wales welsh;britain british;siberia siberian;tibet tibetan;usa american;
    u.s. american;us american;uk british;eu european;european_union european;côte_d'ivoire ivorian;ivory_coast ivorian;
    holland dutch;türkiye turkish;eswatini swazi;lesotho basotho;djibouti djiboutian;comoros comorian;antarctica
    antarctic;timor-leste timorese;el_salvador salvadoran;dominican_republic dominican;czech_republic czech;burkina_faso
    burkinabe;papua_new_guinea papua_new_guinean;cape_verde cape_verdean;greenland greenlandic;hong_kong hong_kong""",
        ";",
    )
    for country, adjective in [entry.replace("\n", " ").split()]
    for country, adjective in [(country.replace("_", " "), adjective.replace("_", " "))]
}
_COUNTRIES = {adjective: country for country, adjective in reversed(_ADJECTIVES.items())}
_WRITTEN = {"usa": "the USA", "us": "the US", "u.s.": "the U.S.", "uk": "the UK", "eu": "the EU"} | {
    country: f"the {country.title()}"
    for country in ("netherlands", "philippines", "united states", "united kingdom", "european union", "soviet union")
}
LOWER = frozenset(_ADJECTIVES) - {"turkey", "chad", "jordan", "us", "guinea", "mali", "niger"}
"""Countries that are read as such when they are typed in small letters."""


def is_country(text: str) -> bool:
    """Whether `text` names a country or a continent, "the" and case aside."""
    return _bare(text) in _ADJECTIVES


def is_adjective(text: str) -> bool:
    """Whether `text` is what is called after a country: "Norwegian", "Dutch"."""
    return _bare(text) in _COUNTRIES and not is_country(text)


def adjective(text: str) -> str:
    """Give the adjective of a country, "Norway" → "Norwegian"; anything else is given back."""
    found = _ADJECTIVES.get(_bare(text))
    return text if found is None else found.title()


def country(text: str) -> str:
    """Give the country of an adjective, "Dutch" → "the Netherlands"; anything else is given back."""
    found = None if is_country(text) else _COUNTRIES.get(_bare(text))
    return text if found is None else _WRITTEN.get(found, found.title())


def _bare(text: str) -> str:
    return text.casefold().removeprefix("the ").strip()

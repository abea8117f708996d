"""A guess at the language of a text, by its script and its commonest words: enough to see a mixture."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

UNKNOWN = "unknown"
WORD = re.compile(r"[^\W\d_]+")
LOOKED_AT = 400  # words
LEAST = 2  # function words; one alone is chance
# The commonest function words of each language; what several share counts for each of them.
WORDS = {
    "English": "the of and to in is for that you on with are this be it as or from by not have can how what",
    "German": "der die das und ist nicht ein eine zu den mit für auf von im dem wie ich sie es was kann auch",
    "French": "le la les et est un une des du en pour que dans qui sur pas au avec ce il je vous comment mon",
    "Spanish": "el la los las y es un una de que en por para con no se del al como mi lo su qué está puedo",
    "Italian": "il lo la gli e è un una di che in per con non si del della come mi sono quale posso alla nel",
    "Portuguese": "os é um uma de que em por para com não se da meu são qual posso ao na dos pelo",
    "Dutch": "de het een en is van niet op te voor met dat in zijn aan er om ik hoe wat mijn kan ook bij",
    "Polish": "w nie na się jest z że jak co czy za od po dla mój mogę są przez jaki",
}
SPOKEN = {  # by which languages a word is used
    word: [name for name, own in WORDS.items() if word in own.split()]
    for word in " ".join(WORDS.values()).split()
}
SCRIPTS = {
    "CYRILLIC": "Cyrillic", "GREEK": "Greek", "ARABIC": "Arabic", "HEBREW": "Hebrew", "CJK": "Chinese",
    "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean", "DEVANAGARI": "Devanagari",
    "THAI": "Thai",
}  # fmt: skip


def language(text: str) -> str:
    """Return the name of a language, or of a script that several write, or "unknown".

    A text of a few words often has no function word; it is unknown rather than wrong.
    """
    start = text[:4000].casefold()
    words = WORD.findall(start)[:LOOKED_AT]
    scripts = Counter() if start.isascii() else Counter(_script(word) for word in words)
    if scripts["Japanese"]:
        return "Japanese"
    script = scripts.most_common(1)[0][0] if scripts else ""
    if script:
        return script
    hits = Counter(dict.fromkeys(WORDS, 0))
    for word, times in Counter(words).items():
        for name in SPOKEN.get(word, ()):
            hits[name] += times
    (best, most), (_, second) = hits.most_common(2)
    return best if most > second and most >= LEAST else UNKNOWN


def languages(texts: Iterable[str]) -> dict[str, int]:
    """Return how many texts are in which language, the commonest first; empty texts are left out."""
    return dict(Counter(language(text) for text in texts if text.strip()).most_common())


def _script(word: str) -> str:
    return "" if word.isascii() else SCRIPTS.get(unicodedata.name(word[0], "").split(" ")[0], "")

"""Small corpora in real languages, made from templates: the same sentences in several languages."""

from __future__ import annotations

import random

WORDS = {
    "en": (
        ["The old man", "A young woman", "My brother", "The teacher", "Our neighbour", "The dog",
         "A small child", "The farmer", "Her sister", "The doctor", "The king", "A tired soldier"],
        ["buys", "sees", "finds", "carries", "paints", "sells", "loses", "hides", "wants", "owns"],
        ["a red car", "the big house", "an old book", "two apples", "a white horse", "the window",
         "a warm coat", "the letter", "a sharp knife", "the blue chair", "some fresh bread"],
        ["in the city", "every morning", "at the market", "with a friend", "before the war",
         "in the garden", "after dinner", "near the river", "without a word", "during the summer"],
        " and later {} {}", ["Why does {}?", "Nobody knows whether {}.", "{}.", "{}!", "{}:"],
    ),
    "de": (
        ["Der alte Mann", "Eine junge Frau", "Mein Bruder", "Der Lehrer", "Unser Nachbar",
         "Der Hund", "Ein kleines Kind", "Der Bauer", "Ihre Schwester", "Der Arzt", "Der König",
         "Ein müder Soldat"],
        ["kauft", "sieht", "findet", "trägt", "malt", "verkauft", "verliert", "versteckt", "will",
         "zerbricht"],
        ["ein rotes Auto", "das große Haus", "ein altes Buch", "zwei Äpfel", "ein weißes Pferd",
         "das Fenster", "einen warmen Mantel", "den Brief", "ein scharfes Messer",
         "den blauen Stuhl", "etwas frisches Brot"],
        ["in der Stadt", "jeden Morgen", "auf dem Markt", "mit einem Freund", "vor dem Krieg",
         "im Garten", "nach dem Essen", "am Fluss", "ohne ein Wort", "während des Sommers"],
        " und später {} {}", ["Warum {}?", "Niemand weiß, ob {}.", "{}.", "{}!", "{}:"],
    ),
    "fr": (
        ["Le vieil homme", "Une jeune femme", "Mon frère", "Le professeur", "Notre voisin",
         "Le chien", "Un petit enfant", "Le fermier", "Sa sœur", "Le médecin", "Le roi",
         "Un soldat fatigué"],
        ["achète", "voit", "trouve", "porte", "peint", "vend", "perd", "cache", "veut", "casse"],
        ["une voiture rouge", "la grande maison", "un vieux livre", "deux pommes",
         "un cheval blanc", "la fenêtre", "un manteau chaud", "la lettre", "un couteau pointu",
         "la chaise bleue", "du pain frais"],
        ["en ville", "chaque matin", "au marché", "avec un ami", "avant la guerre",
         "dans le jardin", "après le dîner", "près de la rivière", "sans un mot",
         "pendant l'été"],
        " et plus tard {} {}",
        ["Pourquoi {} ?", "Personne ne sait si {}.", "{}.", "{} !", "{} :"],
    ),
}  # fmt: skip


def sentences(count, *languages, seed=1):
    """Different sentences, as tuples with one text a language."""
    rng = random.Random(seed)
    made = {}
    while len(made) < count:
        places = [rng.randrange(len(words)) for words in WORDS["en"][:4]]
        frame, more = rng.randrange(5), rng.random() < 0.4
        second = rng.randrange(10), rng.randrange(11)
        year = f" ({rng.randint(1900, 2099)})" if rng.random() < 0.1 else ""
        made[(*places, frame, more and second, year)] = tuple(
            _sentence(language, places, frame, second if more else None) + year
            for language in languages
        )
    return list(made.values())


def _sentence(language, places, frame, second):
    *lists, rest, frames = WORDS[language]
    subject, verb, thing, where = (words[i] for words, i in zip(lists, places, strict=True))
    text = f"{subject} {verb} {thing} {where}"
    if second is not None:
        text += rest.format(lists[1][second[0]], lists[2][second[1]])
    return frames[frame].format(text)

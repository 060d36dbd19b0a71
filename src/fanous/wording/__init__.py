"""Wording: every sentence that Fanous says, in the language of its reader.

Texts are in the code, in English with named placeholders (``"Since about {onset}."``); ``catalogues/CODE.po``
holds whole sentences in another language.  What is not translated stays in English and is marked as English,
never guessed.  To add a language: its line in ``language.LANGUAGES``, its catalogue (``python -m
tests.language_template`` writes the empty one), and its words in ``docs/glossary.md``.
"""

from fanous.wording.language import ENGLISH, LANGUAGES, Language

__all__ = ["ENGLISH", "LANGUAGES", "Language"]

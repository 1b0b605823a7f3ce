"""A tiny template language: `{a|b|c}` picks one (nested braces allowed), `$name` inserts a value."""
import re

_CHOICE = re.compile(r'\{([^{}]*)\}')
_NAME = re.compile(r'\$([a-z]+[0-9]?)')


def expand(rng, template, values=None):
    """One random reading of `template`; `rng` decides, `values` fills the names."""
    text = template
    while True:
        text, count = _CHOICE.subn(lambda m: rng.choice(m.group(1).split('|')), text)
        if count == 0:
            break
    if values:
        text = _NAME.sub(lambda m: str(values[m.group(1)]), text)
    return re.sub(r'  +', ' ', text).strip()


def first_upper(text):
    return text[:1].upper() + text[1:]


def article(word):
    return ('an ' if word[0] in 'aeiou' else 'a ') + word


_SHORT = [('What is', "What's"), ('What is', 'Whats'), ('I am', "I'm"), ('I do not', "I don't"), ('do not', "don't"),
          ('Who is', "Who's"), ('That is', "That's"), ('How is', "How's"), ('Where is', "Where's"), ('It is', "It's")]
_LEADS = ['Please, ', 'Hey, ', 'So, ', 'Well, ', 'OK, ', 'And ', 'Now, ', 'Hi! ', 'Hello! ']


def typed(rng, text):
    """A question as people type it: short forms, lower case, a word before it, no final mark."""
    if rng.random() < 0.3:
        for long, short in rng.sample(_SHORT, len(_SHORT)):
            if long in text:
                text = text.replace(long, short, 1)
                break
    if rng.random() < 0.06 and len(text) > 12:
        lead = rng.choice(_LEADS)
        text = lead + (text if lead[-2] == '!' or text.startswith('I') else text[:1].lower() + text[1:])
    kind = rng.random()
    if kind < 0.2:
        text = text[:1].lower() + text[1:]
    elif kind < 0.3:
        text = text.lower()
    if rng.random() < 0.25 and text[-1] in '?.!':
        text = text[:-1]
    elif rng.random() < 0.05 and text[-1] in '.?':
        text = text[:-1] + '!'
    return text


_ONSETS = ['b', 'd', 'f', 'g', 'h', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'w', 'z', 'br', 'dr', 'fl', 'gr', 'st', 'tr']
_VOWELS = ['a', 'e', 'i', 'o', 'u', 'a', 'e', 'o', 'ai', 'ee', 'ou']
_CODAS = ['', '', '', 'n', 'l', 'r', 's', 'm', 'x', 't']


def made_name(rng):
    """An invented name: what has to be copied, because it cannot be known."""
    name = ''.join(rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(rng.choice([1, 2, 2])))
    return first_upper(name + rng.choice(_CODAS) if len(name) > 2 else name + rng.choice(['n', 'l', 'm', 'x']))


def matches(template, text):
    """Whether `expand` could have made `text` of a template without values and without nested braces."""
    pattern = ''.join('(' + '|'.join(map(re.escape, part[1:-1].split('|'))) + ')' if part.startswith('{') else re.escape(part)
                      for part in re.split(r'(\{[^{}]*\})', template))
    return re.fullmatch(pattern, text) is not None

"""Polite answers to what lies outside the small world of the model, and questions of that kind."""
import re

from .grammar import article, expand, typed
from .tales import CHARACTERS

OPEN = ['I am sorry', 'Sorry', 'Oh, I am sorry', 'I am afraid', 'That is a good question', 'Forgive me']
REASON = ['I do not know that', 'I never learned that', 'I know nothing about that', 'that is too hard for me',
          'that is outside my small world', 'nobody taught me that', 'I am too small to know that', 'I cannot do that']
OFFER = ['Shall I tell you a story about {} instead?', 'Would you like a story about {}?', 'But I know a story about {}.',
         'Ask me for a story about {}, or a small sum.', 'I can add two numbers, or tell you about {}.',
         'I am good at little stories and small sums.', 'I only know little stories, sums and this program.',
         'But I can explain how this program works.', 'Ask me something about hybrimoe, if you like.',
         'I am a very small model. Ask me for a story or a sum.']
_GRAMMAR = re.compile(f'({"|".join(OPEN)})(, but|:|) ({"|".join(REASON)})\\. '
                      f'({"|".join(re.escape(o).replace(chr(92) + "{" + chr(92) + "}", "an? [a-z]+") for o in OFFER)})')


def decline(rng):
    """The answer, and the hero that it offers a story about, if it does."""
    start, reason, offer = rng.choice(OPEN), rng.choice(REASON), rng.choice(OFFER)
    hero = rng.choice(CHARACTERS) if '{}' in offer else None
    link = ', but' if start in ('I am sorry', 'That is a good question', 'Forgive me') else ':' if 'orry' in start else ''
    return f'{start}{link} {reason}. {offer.format(article(hero)) if hero else offer}', hero if offer.endswith('?') else None


def is_decline(text):
    """Whether the text is word for word a decline that this page could have written."""
    return _GRAMMAR.fullmatch(text) is not None


THINGS = ['a bicycle', 'a tap', 'a lamp', 'a boiler', 'a phone', 'a radio', 'a roof', 'a fence', 'a garden', 'a cat', 'an egg',
          'a cake', 'rice', 'a salad', 'a tie', 'a flat', 'a boat', 'a company', 'a website', 'a guitar', 'a violin', 'a marathon']
DEEDS = ['build', 'paint', 'cook', 'clean', 'sell', 'buy', 'mend', 'learn', 'play', 'plant', 'wash', 'train for', 'draw', 'rent']
MATTERS = ['gravity', 'magnetism', 'democracy', 'the moon landing', 'tax law', 'opera', 'jazz', 'chess', 'football', 'rugby',
           'baseball', 'sharks', 'earthquakes', 'cancer', 'the immune system', 'bacteria', 'sleep', 'dreams', 'memory',
           'diesel engines', 'nuclear power', 'solar cells', 'batteries', 'lasers', 'radio waves', 'interest rates',
           'the euro', 'banks', 'insurance', 'pensions', 'marriage', 'the Renaissance', 'the Cold War', 'the Vikings',
           'the pyramids', 'Rome', 'the Aztecs', 'Buddhism', 'Islam', 'logic', 'ethics', 'calculus', 'prime numbers',
           'topology', 'statistics', 'proteins', 'cells', 'enzymes', 'oxygen', 'carbon', 'uranium', 'salt', 'marble',
           'comets', 'Saturn', 'galaxies', 'time travel', 'glaciers', 'deserts', 'hurricanes', 'the Amazon', 'Paris in spring',
           'fashion', 'make-up', 'perfume', 'cocktails', 'sushi', 'bread', 'vegan food', 'diets', 'running', 'skiing', 'boxing',
           'video games', 'Minecraft', 'Android', 'JavaScript', 'compilers', 'encryption', 'spam', 'social media', 'quantum computers']
PEOPLE = ['Caesar', 'Cleopatra', 'Gandhi', 'Picasso', 'Beethoven', 'Bach', 'Goethe', 'Tolstoy', 'Dickens', 'Galileo', 'Kepler',
          'Curie', 'Edison', 'Tesla', 'Turing', 'Lincoln', 'Churchill', 'Columbus', 'Aristotle', 'Kant', 'Messi', 'Madonna']
QUESTIONS = [
    'How do I %do %it?', 'How can I %do %it?', 'Can you %do %it{| for me}?', 'How much does %it cost?', 'Where can I buy %it?',
    'What is the best way to %do %it?', 'Help me to %do %it.', 'Who {invented|discovered|built|first saw|wrote about} %what?',
    'Explain %what{| to me| please| in simple words}.', 'How does %what work?', 'What is %what?', 'Tell me {all |something |}about %what.',
    'Why is %what {important|so hard|good|bad|dangerous}?', 'What causes %what?', 'Who was %who?', 'When was %who born?',
    'What did %who {do|write|discover|say}?', 'Where did %who live?', 'Tell me about %who.', 'When did %who die?',
    'When did {the first war|the empire|the revolution|the crash|the plague} {begin|start|end|happen}?', 'In which year did {the wall fall|the ship sail|the bank fail|the king die}?',
    'What is the {price|size|weight|age|height|mass|melting point|formula|symbol|density} of {gold|iron|silver|water|lead|the earth|a house|a whale|copper|zinc}?',
    'What is the {population|size|currency|flag|language|president|history} of {France|Chile|Ghana|Turkey|Vietnam|Nepal|Iran|Japan|Kenya}?',
    'Who won the {election|final|race|Nobel Prize|gold medal|league|cup} {in 1990|in 2006|last year|in 1954|yesterday}?',
    'Who is the {best|oldest|fastest|tallest|president|king|boss|strongest} {player|man|woman|singer|of Spain|of Google|person alive}?',
    'Who {wrote|painted|composed|directed} {Faust|Hamlet|Guernica|the Odyssey|the Magic Flute|Star Wars|the Scream|Ulysses}?',
    'Which {film|car|phone|book|school|bank|hotel|shirt|camera|job} should I {buy|choose|take|see|read|pick}?',
    'Recommend {a|me a} {film|book|car|phone|wine|restaurant|camera|bank}.', 'Which {drug|tea|cream|doctor} helps {against|with} {a cold|fever|pain|a cough|stress}?',
    'Write {a letter|an email|a song|a speech|a report|a review|a contract|an advert} {to my boss|for my boss|for a bank|about %what|for school}.',
    'Write {a program|a script|a class|a query|a test|some code|a loop} {in Java|in Rust|in C|that counts words|that adds files|that draws a circle|in Python}.',
    'Translate {hello|this|thank you|I love you|a cat|good night} {into|to} {French|German|Chinese|Latin|Spanish|Russian}.',
    'Say {hello|goodbye|yes|thank you} in {French|Latin|Chinese|Russian|Dutch}.', 'What is the difference between %what and %what?',
    'Compare %what and %what.', 'Summarise {the news|the Bible|Faust|this book|%what}.', 'Will it {rain|snow|be warm|be sunny|freeze} {today|tomorrow|in Berlin|in London|on Sunday}?',
    'What is the weather {in Rome|tomorrow|today|at the sea|like in May}?', 'How {long|far|far away|expensive} is {the Nile|the sun|the Rhine|Mars|the flight to Rome|the way to Paris}?',
    'How {tall|high|old|deep|heavy} is {the Eiffel Tower|Mont Blanc|the moon|the ocean|the universe|the queen}?',
    'Book {a flight|a table|a room|a taxi} {for me|for Monday|to Rome}.', 'Call {my mother|a taxi|the police|a doctor}.', 'Turn {on|off} the {light|radio|music}.',
    'What do you think {of|about} {%what|the war|the government|%who|the new law}?', 'Name {the planets|the kings of England|the US states|the metals|five rivers|the bones|all oceans}.',
    'List {the planets|the presidents|ten rivers|the elements of style|all countries}.', 'What are the {rules|laws|basics|parts|causes|symptoms} of %what?',
    'What happens in {Hamlet|Faust|the film|the Iliad|chapter two}?', 'Is %what {dangerous|healthy|true|legal|real|hard}?', 'Should I {marry|move|invest|quit my job|sell %it}?',
    'What is {17 times 23|144 divided by 12|the root of 50|345 + 678|2 to the power of 10|1000 minus 377|15 percent of 80}?', 'Solve {x + 4 = 9|2x = 10|x squared = 9}.',
    'What time is it{| in Tokyo| now}?', 'What is the date{| today}?', 'What is in the news{| today}?', 'Where is {my phone|Timbuktu|the station|Mount Fuji|my key}?',
]


def question(rng):
    text = expand(rng, rng.choice(QUESTIONS))
    for mark, options in (('%do', DEEDS), ('%it', THINGS), ('%what', MATTERS), ('%who', PEOPLE)):
        while mark in text:
            text = re.sub(mark + r'\b', lambda m: rng.choice(options), text, count=1)
    return typed(rng, text[:1].upper() + text[1:])

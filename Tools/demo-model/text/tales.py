"""Stories of the second training: built from so many small choices that twelve words in a row rarely come twice.

A plot is a row of beats, a beat is one of several sentences, and a sentence has a free word every three words or so.
What has to stay the same through a story is little: the hero, the friend, a thing, and who is `he` or `she`.

In a template `{a|b}` picks one, `%word` draws from the list of that name each time anew, `$word` is a value of the
story, `a@` becomes `a` or `an`, and `^` makes the next letter a capital.
"""
import re

from .grammar import article, expand, typed
from .stories import ANIMALS, HE, HEROES, SHE

CHARACTERS = [h for h in ANIMALS + HEROES if ' ' not in h]

WORDS = {
    'adj': 'little small young brave kind clever shy curious cheerful quiet old lazy proud gentle friendly hungry sleepy '
           'lonely busy happy funny polite careful patient tiny big'.split(),
    'nice': 'kind clever brave good gentle friendly wise patient dear funny'.split(),
    'time': ['One morning', 'One evening', 'One day', 'One cold morning', 'One sunny day', 'Early one morning',
             'Late one evening', 'One rainy day', 'On the first day of spring', 'One summer day', 'One winter morning',
             'On a windy day', 'One autumn evening', 'One quiet Sunday', 'One Monday', 'After breakfast', 'One warm night',
             'On a foggy morning', 'In the middle of summer', 'Just before dinner', 'One bright afternoon',
             'When the snow was gone', 'On market day', 'One Friday'],
    'later': ['Soon', 'After a while', 'An hour later', 'The next day', 'In the evening', 'At noon', 'The next morning',
              'A little later', 'At last', 'Before long', 'Two days later', 'When the sun went down', 'In the afternoon'],
    'padj': 'old little high green quiet dark wide wooden narrow sunny white broken big red blue stone lonely yellow'.split(),
    'pnoun': 'mill bridge well gate tower barn school market tree wall fence farm house hill rock river pond lake field '
             'path cave shop garden boat forest village station church'.split(),
    'near': ['near', 'behind', 'beside', 'by', 'close to', 'beyond', 'above'],
    'to': ['to', 'towards', 'past', 'around', 'down to', 'behind'],
    'tadj': 'red blue green yellow golden silver old new big little round wooden soft warm shiny white black grey'.split(),
    'thing': 'hat key ball bell scarf drum book kite lamp cup coat spoon basket ring clock map flute shoe glove button '
             'blanket pillow mirror bucket coin feather box letter pencil rope wheel chair'.split(),
    'fadj': 'sweet ripe warm big fresh red tasty juicy golden fine round soft'.split(),
    'food': 'apple cake pie pear plum carrot cookie pancake melon pudding nut potato bun tomato'.split(),
    'went': 'walked ran went hopped hurried wandered marched skipped rushed danced crept rolled'.split(),
    'walk': 'walk run go hop hurry wander march dance'.split(),
    'how': ['softly', 'kindly', 'quietly', 'happily', 'gently', 'loudly', 'slowly', 'at once', 'with a smile',
            'politely', 'bravely', 'in a small voice', 'after a while', 'and nodded', 'and laughed', 'and smiled'],
    'sadly': ['sadly', 'with a sigh', 'in a small voice', 'and began to cry', 'and looked away', 'quietly', 'and shook',
              'with tears', 'and sat down'],
    'happy': 'happy glad proud pleased cheerful merry'.split(),
    'sad': 'sad unhappy worried upset lonely tired angry afraid'.split(),
    'hobby': ['singing songs', 'reading books', 'swimming', 'baking cakes', 'counting stars', 'painting stones',
              'flying kites', 'picking flowers', 'telling jokes', 'climbing trees', 'dancing in the rain',
              'looking at the moon', 'playing the drum', 'drinking tea', 'watching clouds', 'building towers',
              'growing carrots', 'writing letters', 'sleeping late', 'catching leaves', 'making soup', 'old maps'],
    'game': ['sang', 'played', 'danced', 'swam', 'laughed', 'ate', 'read', 'walked', 'painted', 'cooked', 'told stories',
             'drank tea', 'rested'],
    'when': ['every day', 'every morning', 'every evening', 'every Sunday', 'all summer', 'all winter', 'until late',
             'until midnight', 'all afternoon', 'for many years', 'until dinner', 'at night'],
    'weather': ['The sun was warm', 'The wind was cold', 'The rain had stopped', 'The air was sweet', 'The grass was wet',
                'Snow was falling', 'The birds were singing', 'The leaves were red', 'The sky was grey',
                'The stars were bright', 'The moon was round', 'Clouds were passing', 'Bees were humming'],
    'colour': 'red blue green yellow white black grey brown golden silver'.split(),
    'number': 'two three four five six seven eight nine ten twelve'.split(),
    'part': 'nose foot ear tail head back'.split(),
    'plant': 'tree flower rose bush leaf carrot bean'.split(),
    'oh': ['Oh', 'Oh no', 'Dear me', 'Well', 'Look', 'Listen', 'My goodness', 'Hm', 'Ah'],
    'hello': ['Hello', 'Good morning', 'Good day', 'Hi', 'Excuse me', 'Welcome'],
    'thanks': ['Thank you', 'Many thanks', 'Oh, thank you', 'How kind of you', 'Thank you so much', 'That is so kind'],
    'people': 'farmer baker queen king teacher doctor sailor children neighbours animals birds mice'.split(),
    'sound': 'loud strange soft low sad funny deep little'.split(),
}
WORDS['place'] = ['%near the %padj %pnoun'] * 8 + ['in the %padj {forest|village|garden|house|tower|barn|cave}',
                                                  'under the %padj {tree|bridge|hill|rock|roof}']
WORDS['goal'] = ['%to the %padj %pnoun']
WORDS['one'] = ['a@ %tadj %thing']
WORDS['meal'] = ['a@ %fadj %food']

BEGIN = [
    'Once upon a time there was a@ %adj $herob who lived %place.',
    'Once there was a@ %adj $herob. ^$he lived %place and loved %hobby.',
    '{Long ago|Many years ago|A long time ago}, a@ %adj $herob lived %place.',
    'There was once a@ %adj $herob who liked %hobby and %hobby.',
    '^%place lived a@ %adj $herob with a@ %tadj %thing.',
    'A@ %adj $herob lived %place. ^$he had a@ %tadj %thing and a@ %tadj %thing.',
    'Once a@ %adj $herob {came|moved} to a house %place.',
    'The $herob {%near} the %padj %pnoun was %adj and {liked|loved} %hobby.',
]
MEET = [
    '%time, $hero %went %goal. There $he met a@ %adj $pal.',
    '%time, a@ %adj $pal came by with a@ %tadj %thing.',
    '%time, $hero saw a@ %adj $pal who sat %place.',
    '%weather when $hero met a@ %adj $pal %place.',
    '%time, $hero heard a@ %sound voice %place. It was a@ %adj $pal.',
    '%time, a@ %adj $pal knocked at the %colour door with a@ %tadj %thing.',
]
THANKS = [
    '"%thanks, %nice $hero0," said $friend %how.',
    '"%thanks," said $friend %how, and gave $hero a@ %tadj %thing.',
    '^$friend was %happy and gave $hero a@ %fadj %food.',
    '"You are a %nice friend," said $friend %how. "%thanks!"',
    '^$friend danced around the %padj %pnoun and laughed.',
]
CLOSE = [
    'Then they %game and %game %when.',
    'Then they often %game together %place %when.',
    '%later, they shared a@ %fadj %food and %game %when.',
    'And $hero was %happy, with %number %adj friends %place and a@ %tadj %thing.',
    'They %went home %goal, %happy and %adj.',
    'That night, $hero dreamed of a@ %tadj %thing and a@ %tadj %thing.',
    'If you %walk %goal, look for a@ %tadj %thing.',
    'The %people %place heard of it and brought a@ %fadj %food.',
    '%weather %place, and the %people were %happy.',
    'Since then, $friend {comes|calls|visits} {every day|every morning|on Sundays|in winter|in summer} with a@ %fadj %food.',
]
LOOK = [
    '^$he looked %place and %place, but saw only a@ %tadj %thing.',
    'They looked %place. Then they looked %place. {They found|There was} only a@ %tadj %thing.',
    'The %people looked %place, and $hero looked %place.',
    '^$hero looked %place, and $friend looked %place.',
]
# Each plot is a list of beats; a beat is a list of sentences to choose from, or the name of a list above.
PLOTS = [
    # something is lost and found
    [['%time, $hero lost $his %tadj $thing %place.', '%time, the %tadj $thing of $hero was gone.',
      'But %timelow, $hero could not find $his %tadj $thing.'],
     ['%later, a@ %adj $pal came {by|along} with a@ %tadj %thing. "{Can I help|May I help|What is it|Why so %sad}?"',
      '"%oh, why are you so %sad?" asked a@ %adj $pal %how.'],
     LOOK,
     ['^$friend looked %place, and there was the $thing!', '%later, they found the $thing %place.',
      'The $thing was %place, under a@ %tadj %thing.'],
     ['^$hero jumped for joy and %went %goal.', '"%thanks, %nice $pal," said $hero %how.']],
    # the friend has lost something
    [MEET, ['"I have lost my %tadj $thing," said $friend %sadly.', '"My $thing is gone," said $friend %sadly. "It was %place."'],
     ['"%oh, do not be %sad," said $hero %how. "We will look %place."',
      '"{Let us look|I will help|We will find it}, %adj $pal," said $hero %how, and took a@ %tadj %thing.'], LOOK,
     ['%later, $hero saw something %colour %place. It was the $thing!', '%later, %place, they found the $thing in a@ %tadj {box|basket|bucket|hat}.'],
     THANKS],
    # sharing food
    [['%time, $hero found a@ %fadj $food %place.', '%time, $hero baked a@ %fadj $food for %number {guests|days|mice|birds}.'],
     ['"{All for me|Mine|Just for me}, like the %tadj %thing," said $hero %how.', '"%oh, what a %fadj $food!" said $hero %how.'],
     ['Then $he saw a@ %adj $pal %place, {hungry|thin|cold} and %sad.', '%later, a@ %adj and %adj $pal %went by.'],
     ['^$hero {sat down and|nodded and|laughed and|came and} cut the $food in {two|half} with a@ %tadj %thing.',
      '"{Sit down|Come here|Come|Sit}, %adj $pal," said $hero %how. "{Take|Have|Try} some $food."',
      '"%hello, are you hungry?" asked $hero %how. "Sit down %place."'],
     ['They ate the $food %place, %fadj and %fadj as it was.', '"You are %nice," said $friend %how, and gave $hero a@ %tadj %thing.']],
    # a storm at night
    [['One {dark|cold|wild|long} night a %sound storm came %goal.', '%time, a %sound storm shook the %padj %pnoun.'],
     ['^$hero heard a %sound knock. It was a@ %adj $pal with a wet %part.',
      'A@ %adj $pal stood %place, wet and %sad, with a@ %tadj %thing.'],
     ['"{May I come in|Is it warm here|Can I stay|Is there room}?" asked $friend %sadly. "I am %sad."', '"%hello, my house %place is broken," said $friend %sadly.'],
     ['"{Of course|Yes|Come in|Quick}, %adj $pal," said $hero %how, and made %fadj soup in a@ %tadj {cup|bucket|box}.',
      '^$hero gave $friend a@ %tadj {blanket|pillow|coat|scarf} and a@ %fadj %food.',
      '"{Sit|Come} {by the fire|down|here}, %adj $pal," said $hero %how. "{Here is|Take|Have} a@ %fadj %food."'],
     ['They told {stories|tales|jokes} of %adj %people and a@ %tadj %thing.', 'In the morning %weatherlow %place.']],
    # courage
    [['But $hero was afraid of {the dark|deep water|the wind|high hills|the night|loud bells} and of {the %padj %pnoun|%hobby}.',
      'But $hero was afraid of the %padj %pnoun and of every %tadj %thing.'],
     ['%time, a@ %adj $pal called for help %place.', '%time, a@ %adj $pal fell into the %padj {well|river|pond|lake|cave}.'],
     ['^$hero shook from %part to %part, took a@ %tadj {rope|lamp|drum|bell} and %went %goal.',
      '"I am %sad," said $hero %sadly, "but I {go|will go|will help}." And $he %went %goal.'],
     ['{Step by step|Slowly|Bit by bit}, $he %went {closer|nearer}, and {pulled|lifted} $friend out with a@ %tadj %thing.',
      '^$he held out a@ %tadj {rope|scarf|spoon|coat}, and $friend climbed up %goal.'],
     ['"How %nice you are," said $friend %how. "And how %sad I was," said $hero %how.', THANKS[0], THANKS[3]]],
    # a seed
    [['%time, $hero put a@ %tadj seed in the ground %place.', '%time, $hero found %number seeds in a@ %tadj %thing.'],
     ['^$he gave it water from a@ %tadj {cup|bucket|spoon|shoe} %when.', 'For %number days, {nothing grew|it slept|it was quiet} %place.'],
     ['"{Give up|Stop it|Go home|Eat it}," said a@ %adj $pal %how. But $hero {sat|stayed|waited} %place.',
      'A@ %adj $pal %went by. "That is a@ %tadj stone," said $friend %how, %place.'],
     ['%later, {there was|it was} a@ %tadj %plant with %number %colour {leaves|birds|apples|bells}.', '%later, a@ %colour and %colour %plant stood %place.'],
     ['"{How|Why|When}?" asked $friend %how. "I waited %place," said $hero %how.',
      '^$friend %went around the %colour %plant and was %happy. "And what is %place?"']],
    # building together
    [['^$hero wanted to build a@ %padj $work %place.', '%time, $hero began to build a@ %tadj $work out of a@ %tadj %thing.'],
     ['But the $work fell down %number times, because of a@ %tadj %thing.', '^$he worked %when with a@ %tadj %thing, but the $work fell %goal.'],
     ['%later, a@ %adj $pal came with a@ %tadj {rope|wheel|box|bucket}. "{May I help|Can I help|Is it fun}?" asked $friend %how.',
      '"%oh, let me {help|hold it|try|push}," said a@ %adj $pal %how, %place.'],
     ['^$hero held the %adj wood, and $friend painted it %colour and %colour.', '^$friend {pulled|sang|sawed}, and $hero {pushed|painted|tied} a@ %tadj %thing to it.'],
     ['%later, the %colour $work stood firm %place.', '"What a %tadj $work!" cried the %people, and %went %goal.']],
    # a journey
    [['%time, $hero {wanted|wished} to see the %padj %pnoun {behind|beyond|above} the %padj %pnoun.', '%time, $hero packed a@ %fadj %food and a@ %tadj %thing, and %went %goal.'],
     ['There $he met a@ %adj $pal %place. "{May I come too|Take me with you|Where to}?" asked $friend %how.',
      'A@ %adj $pal sat %place. "{Wait for me|I will come|Let me come}," said $friend %how.'],
     ['They %went %goal and %goal, for %number days.', 'They crossed a@ %padj river in a@ %tadj {basket|box|bucket|hat}.'],
     ['%later, they saw the %colour {sea|snow|moon|city|castle} %place.', 'And there, %place, was the %colour {sea|city|castle|mountain} of the %people.'],
     ['"%oh, how %colour it is!" said $hero %how.', '"{It is far|What a way|We are here}, %nice $hero0," said $friend %how, and ate a@ %fadj %food.']],
    # a gift
    [['%time, a@ %adj $pal had a birthday.', 'It was the birthday of a@ %adj $pal who lived %place.'],
     ['^$hero had no money, only a@ %tadj %thing and a@ %tadj $thing.', '"A@ %fadj %food? A@ %tadj %thing?" asked $hero %sadly, and took a@ %tadj $thing.'],
     ['^$he painted the $thing %colour and %colour %when.', '^$he cleaned the $thing %place and put it in a@ %tadj {box|basket|scarf|coat}.'],
     ['^$friend opened it %how. "A@ %tadj $thing!"', '"Is it a@ %tadj %thing?" asked $friend %how. It was the %colour $thing.'],
     ['"{How|So} {nice|fine|lovely}! I will keep it %place," said $friend %how.', THANKS[0], THANKS[1]]],
    # a race
    [['%time, a@ %adj $pal with a@ %colour %part said %how, "{Race me|Let us race|Run with me} %goal!"', 'A@ %adj $pal laughed at $hero. "You are as slow as a@ %tadj %thing! {Race me|Let us race} %goal!"'],
     ['They %went %goal and %goal, $friend {first|far ahead|in front}.', '^$hero %went as fast as $he could, %to the %padj %pnoun.'],
     ['But $friend fell over a@ %tadj %thing %place.', 'But $friend stopped %place to eat a@ %fadj %food and fell asleep.'],
     ['^$hero {saw it|stopped|turned around}, and %went back %goal with a@ %tadj %thing.', '"%oh, wake up," said $hero %how. "Take my %part, and %walk!"'],
     ['So the two %went %goal, %happy and %sad.', '"Who won?" asked the %people %place. "Both," said $hero %how.']],
    # a stranger
    [['%time, a@ %adj $pal moved to the house %place.', '%time, a strange $pal with a@ %tadj %thing came %goal.'],
     ['Nobody {spoke|played|sang|ate} with $friend, not even the %people %place.', 'The %people were afraid and hid %place.'],
     ['But $hero %went there with a@ %fadj %food. "%hello! Do you like %hobby?"', '"%hello," said $hero %how. "Is that your %tadj %thing?"'],
     ['"I {love|like} %hobby and %hobby," said $friend %how.', '"{Yes|No|Oh yes}, and I {love|like} %hobby," said $friend %how.'],
     ['They began %place, and the %people brought a@ %tadj %thing.', 'Then even the %people came and %game %place.']],
    # a song
    [['%time, $hero made a song about a@ %tadj %thing.', '^$hero wanted to sing for the %people %place.'],
     ['But the song was %sound and %sound, and the %people ran %goal.', 'But $his %part hurt, and $he was %sad and {cold|ill|shy|slow}.'],
     ['A@ %adj $pal with a@ %tadj {drum|flute|bell} sat %place. "Let me play," said $friend %how.',
      '"%oh, that song needs a@ %tadj {drum|flute|bell}," said a@ %adj $pal %how.'],
     ['So $hero sang %how, and $friend played %how.', 'They played %number songs %place.'],
     ['The %people danced %place, one with a@ %tadj %thing.', 'Even the %padj %pnoun and the %padj %pnoun danced.']],
    # something is broken
    [['%time, the %tadj $thing of $hero {broke|fell|cracked} in %number pieces %place.', '%time, a@ %adj $pal broke the %tadj $thing of $hero.'],
     ['"{Sorry|Oh no|It was me|It was my %part}!" said a@ %nice $pal %sadly, %place.', '^$hero was %sad and hid the $thing %place.'],
     ['^$friend took a@ %tadj {rope|box|button|feather} and {mended|turned|washed|glued} the $thing %how.',
      '"{We can mend it|Do not worry|Give it to me}, %nice $hero0," said $friend %how. "I have a@ %tadj %thing."'],
     ['%later, the $thing was %colour and %tadj again, like a@ %tadj %thing.', 'They worked %place %when, with a@ %tadj %thing.'],
     ['"What a %tadj $thing!" said $hero %how, and %went %goal.', '"{Never mind|It is nothing|All is well}, %nice $pal," said $hero %how. "Here is a@ %fadj %food."']],
    # someone is ill
    [['%time, a@ %adj $pal lay in bed %place with a %colour %part.', '%time, a@ %adj $pal had a cold and a %colour %part.'],
     ['The %people told $hero, who %went %goal with a@ %tadj %thing.', '^$hero put a@ %fadj %food in a@ %tadj {basket|box|bucket} and %went %goal.'],
     ['"%oh, what do you need?" asked $hero %how. "A@ %tadj %thing," said $friend %sadly.',
      '"%hello," said $hero %how. "I bring you a@ %fadj %food and a@ %tadj %thing."'],
     ['^$he {read|sang|talked} %when, {from|of} a@ %tadj {book|letter|map} and a@ %tadj %thing.', '^$he made %fadj tea with a@ %fadj %food and sang of a@ %tadj %thing.'],
     ['%later, $friend was well and %went %goal.', THANKS[0], THANKS[1], THANKS[3]]],
    # a wish
    [['Every night $hero looked at the %adj moon %place and made a wish.', '^$hero wished for a@ %tadj %thing that could talk.'],
     ['%time, a@ %adj $pal asked %how, "A@ %tadj %thing, or what?"', 'A@ %adj $pal with a@ %tadj %thing heard it %place.'],
     ['"Somebody who likes %hobby and %hobby," said $hero %sadly.', '"To %walk %goal with a@ %adj friend," said $hero %sadly.'],
     ['"{Here I am|I am here|Like me}," said $friend %how, and gave $hero a@ %tadj %thing.', '"{Me too|So do I|That is me}," said $friend %how. "I like %hobby and a@ %tadj %thing."'],
     ['^$hero laughed %how, and the moon shone %place.', 'So both wishes came true %place.']],
]

ENDINGS = ['', '', '', '', '', '', ' The end.', ' Good night.']
LEADS = ['', '', '', '', '', '', 'Gladly. ', 'Of course. ', 'Listen. ']

ASK = ['{Tell|Please tell|Can you tell|Could you tell|Will you tell} {me|us} a {story|little story|short story|tale|bedtime story|nice story}{| please}{.|?}',
       '{Write|Make up|I want|I would like|Give me|Invent|I need|Let me hear|Read me} a {story|little story|short story|tale|bedtime story}.',
       'A {story|tale}, please.', 'Story time!', 'Story!', 'Do you know {a|any} {story|stories|tale|tales}?', 'Tell me {another|one more} story.',
       '{Another|One more} story{|, please}.', 'I want to hear a {story|tale}.', 'How about a story?', 'Have you got a story?',
       'Tell me something nice.', 'It is time for a story.', 'A story for my {son|daughter|children|friend}, please.']
ASK_ABOUT = ['{Tell|Please tell|Can you tell|Could you tell|Will you tell} {me|us} a {story|little story|short story|tale|bedtime story|nice story|funny story} about $ahero{.|?}',
             '{Write|Make up|I want|I would like|Give me|Invent|I need|Let me hear|Read me} a {story|little story|tale|bedtime story} about $ahero.',
             'A {story|tale|bedtime story} about $ahero{|, please}.', 'Do you know {a story|any stories|a tale} about $ahero?',
             'Story about $ahero.', 'A story with $ahero{|, please}.', 'Tell me about $ahero in a story.',
             'I want to hear {a story|something} about $ahero.', 'How about a story with $ahero?', 'Tell the story of $ahero.',
             'Tell me the tale of a %adj $hero0.', 'A story about a@ %adj $hero0, please.', 'Write about $ahero.',
             'Tell a story where $ahero finds a@ %thing.', 'Something with $ahero, please.', 'Once upon a time there was $ahero. Go on.']
ASK_PAIR = ['Tell me a story about $ahero and $afriend.', 'A {story|tale} about $ahero and $afriend, please.',
            '{Write|Make up|Invent} a story {about|with} $ahero and $afriend.', 'Can you tell me a story about $ahero and $afriend?',
            'What happened to the $hero0 and the $pal?', 'How did the $hero0 meet the $pal?', 'A story with $ahero and $afriend.']
ASK_NAMED = ['Tell me {a story |}about $ahero {called|named} $name.', 'A story about $name the $hero0, please.',
             'Tell me a story about $name the $hero0.', '{Write|Make up|I want} a {story|little story} about $ahero {called|named} $name.']

WORKS = ['boat', 'house', 'bridge', 'tower', 'cart', 'swing', 'bench', 'wall', 'bed', 'kite']

_DRAW = re.compile(r'%([a-z]+)')


def told(rng, template, values):
    """One reading of `template`."""
    text = expand(rng, template)
    while '%' in text:
        text = _DRAW.sub(lambda m: rng.choice(WORDS[m.group(1)]), text)
        text = expand(rng, text)
    text = re.sub(r'\$([a-z]+0?)', lambda m: values[m.group(1)], text)
    text = re.sub(r'\b([aA])@ (\w)', lambda m: f'{m.group(1)}{"n" if m.group(2) in "aeiou" else ""} {m.group(2)}', text)
    return re.sub(r'\^(\w)', lambda m: m.group(1).upper(), text)


WORDS['timelow'] = [t[:1].lower() + t[1:] for t in WORDS['time']]
WORDS['weatherlow'] = [t[:1].lower() + t[1:] for t in WORDS['weather']]
WORDS['cast'] = CHARACTERS


def cast(rng, named=False, common=False):
    """Who and what a story is about; `common`: the friend is one of the animals seen most."""
    hero, pal = rng.sample(CHARACTERS, 2)
    if common:
        pal = rng.choice([a for a in ANIMALS if a != hero])
        hero = rng.choice([a for a in ANIMALS if a != pal]) if rng.random() < 0.4 else hero
    male = rng.random() < 0.5
    v = {'hero0': hero, 'herob': hero, 'hero': f'the {hero}', 'ahero': article(hero), 'pal': pal, 'friend': f'the {pal}',
         'afriend': article(pal), 'he': 'he' if male else 'she', 'his': 'his' if male else 'her',
         'thing': rng.choice(WORDS['thing']), 'food': rng.choice(WORDS['food']), 'work': rng.choice(WORKS)}
    if named:
        name = rng.choice(HE if male else SHE)
        v |= {'name': name, 'hero': name, 'herob': f'{hero} {rng.choice(["called", "named"])} {name}'}
    return v


def telling(rng, v):
    plot = rng.choice(PLOTS)
    parts = [rng.choice(BEGIN), *(rng.choice(beat) for beat in plot), rng.choice(CLOSE)]
    return rng.choice(LEADS) + ' '.join(told(rng, p, v) for p in parts) + rng.choice(ENDINGS)


def request(rng, v):
    kind = rng.random()
    options = ASK_NAMED if 'name' in v else ASK if kind < 0.2 else ASK_PAIR if kind > 0.85 else ASK_ABOUT
    return typed(rng, told(rng, rng.choice(options), v))


def story(rng, common=False):
    v = cast(rng, rng.random() < 0.12, common)
    return v, request(rng, v), telling(rng, v)


QUESTIONS = [
    (['Who was the story about?', 'Who is the story about?', 'Who was that?', 'Who was the hero?'], 'It was about $hero.'),
    (['Who else was in the story?', 'Who was the friend?', 'Who was the other one?', 'Who came by?'], 'The other one was $friend.'),
    (['Is that a true story?', 'Did that really happen?', 'Is it true?'], 'No, I made it up.'),
    (['Why?', 'What does the story mean?', 'What do we learn from it?'], 'It is good to have a friend.'),
]


def conversation(rng, common=False):
    v, question, text = story(rng, common)
    messages = [('user', question), ('assistant', text)]
    if rng.random() < 0.12:
        questions, answer = rng.choice(QUESTIONS)
        messages += [('user', typed(rng, rng.choice(questions))), ('assistant', told(rng, answer, v))]
    return messages


def beginning(rng, common=False):
    """A request and the first sentences of the story: practice in taking up the hero."""
    v = cast(rng, rng.random() < 0.25, common)
    if 'name' not in v and rng.random() < 0.5:
        question = typed(rng, told(rng, rng.choice(ASK_PAIR), v))
    else:
        question = typed(rng, told(rng, rng.choice(ASK_NAMED if 'name' in v else ASK_ABOUT), v))
    text = told(rng, rng.choice(BEGIN) + ' ' + rng.choice(MEET) + ' ' + rng.choice(THANKS[:3]), v)
    return [('user', question), ('assistant', text)]

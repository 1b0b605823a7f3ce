"""The text of the second training: tales, old domains with questions in many more wordings, and practice.

Stories are those of `tales`, refusals those of `declines`; what is said about the program, facts and small talk is
what the first training said. No question of prompts.jsonl is ever written (`generate_text.py` drops such texts).
"""
import random
import re

from . import declines, facts, program, smalltalk, sums, tales
from .grammar import expand, made_name, typed
from .stories import HE, SHE

BEFORE = ['Please tell me: ', 'Tell me, ', 'Can you tell me: ', 'I want to know: ', 'One question: ', 'Say, ', 'Excuse me, ',
          'Hm, ', 'Next question: ', 'Could you tell me, ', 'I wonder: ', 'Now tell me, ', 'I have a question. ',
          'Another one: ', 'Quickly: ', 'Maybe you know: ', 'OK, and ', 'My question is: ', 'Hello, ', 'Hi! ', 'So ', 'And ']
AFTER = [', please', ' please', ', if you know', ', my friend', ' for me', ', then', ', again', ', in short', ', do you think',
         ', little one', ' exactly', ', by the way', ' today', ' here', ', dear model']
WHAT = ['Tell me what {}{} is.', '{}{}: what is it?', 'What exactly is {}{}?', 'Do you know what {}{} is?',
        'I want to know what {}{} is.', 'Can you say what {}{} is?', 'Can you tell me what {}{} is?', 'I do not know what {}{} is.',
        'What would you say {}{} is?', 'Please explain {}{}.', '{}{}?', 'Say what {}{} is.', 'What, please, is {}{}?']
HOW = ['How can I {}?', 'What do I do to {}?', 'Show me how to {}.', 'I want to {}.', 'Is there a way to {}?', 'Tell me how to {}.',
       'What must I type to {}?', 'I would like to {}. How?', 'How does one {}?', 'Please help me to {}.']
DOES = ['Tell me what {} {}s.', 'Do you know what {} {}s?', 'What is it that {} {}s?', 'I forgot what {} {}s.', 'Please tell me what {} {}s.']
# More wordings of what a visitor says: beside those in `smalltalk`, with its answers.
TALK = {
    0: ['Hello, my dear!', 'Good morning, model!', 'Hi, good to see you.', 'Hello to you too!', 'Hey friend!', 'Good evening to all!',
        'Hello, how nice to meet you!', 'Nice to meet you!', 'Hello little one!', 'Well, hello!', 'Hi, I am new here.', 'Welcome!'],
    1: ['How are you this morning?', 'How are you doing?', 'Are you fine today?', 'How do you do?', 'Is everything all right?', 'How was your day?'],
    2: ['I am doing fine, thanks.', 'I am very well today.', 'All is well here, thank you.', 'I feel good this morning.', 'Very well, thank you for asking.'],
    3: ['I feel sad today.', 'I am a bit tired tonight.', 'I am so bored this evening.', 'I feel alone.', 'I am not happy today.', 'It was a hard day.'],
    4: ['And who are you?', 'So what are you?', 'Tell me who you are.', 'Who is this?', 'What kind of thing are you?', 'Please introduce yourself.'],
    5: ['Have you got a name?', 'How shall I call you?', 'Tell me your name.', 'Do you have a real name?', 'Has anybody given you a name?'],
    6: ['What can you do for me?', 'Tell me what you can do.', 'How can you help me?', 'What are your skills?', 'Show me what you can do.'],
    7: ['Are you sometimes wrong?', 'Do you know everything?', 'Are your answers right?', 'Can I believe you?', 'Are you ever wrong about something?'],
    8: ['Thank you for the help!', 'Thanks for that!', 'I thank you.', 'Thank you so much for the story!', 'Thanks, my friend!'],
    9: ['What a nice answer.', 'That was a lovely story.', 'You did that well.', 'That was good, really.', 'I love it!', 'A fine answer!'],
    10: ['I believe that is not true.', 'That was not right.', 'This answer is wrong.', 'You made a mistake.', 'I think you are wrong.'],
    11: ['Goodbye, my friend!', 'Bye, see you soon!', 'See you next week!', 'Good night, my friend!', 'I am going to bed now.', 'Until tomorrow!',
         'Goodbye, little friend.', 'Sleep well!', 'Good night, dear model.'],
    14: ['Which do you like better, foxes or bears?', 'Do you like the rain?', 'Do you love cats?', 'Are you happy?', 'Do you like cake or soup more?'],
    15: ['How old are you now?', 'Are you old?', 'What is your age?', 'Where is your home?'],
    16: ['Can you speak French?', 'Do you understand Spanish?', 'Do you know some Italian?', 'Can we talk in Polish?'],
}
JOKE = ['Can you tell me a joke?', 'I want to hear a joke.', 'Tell me something funny.', 'Do you have a good joke for me?', 'One joke, please.', 'A funny joke, please!']
POEM = ['Could you write a poem about $thing?', 'I want a poem about $thing.', 'A short poem on $thing, please.', 'Please write about $thing in rhyme.',
        'Let me hear a poem about $thing.', 'Make a little poem of $thing.', 'Do you know a poem about $thing?']
# Share of each kind among the texts. A story is four times as long as the others.
KINDS = [('tales', 0.23), ('sums', 0.16), ('program', 0.18), ('facts', 0.15), ('smalltalk', 0.11), ('outside', 0.13), ('mixed', 0.04)]


def misspelt(rng, text):
    """One letter twice, missing or changed over with the next one."""
    i = rng.randrange(1, max(2, len(text) - 2))
    if not text[i - 1:i + 2].isalpha():
        return text
    return rng.choice([text[:i] + text[i + 1:], text[:i] + text[i] + text[i:], text[:i] + text[i + 1] + text[i] + text[i + 2:]])


def reworded(rng, text):
    """Another way to ask the same."""
    kind, plain = rng.random(), text.rstrip('?.!')
    lower = plain[:1].lower() + plain[1:]
    if kind < 0.3:
        return text
    if kind < 0.65 and plain.startswith(('What is ', "What's ", 'Whats ')):
        subject = plain.split(' is ', 1)[1] if ' is ' in plain else plain.split(' ', 1)[1]
        text = rng.choice(WHAT).format('', subject)
    elif kind < 0.65 and plain.startswith(('How do I ', 'How can I ')):
        text = rng.choice(HOW).format(plain.split(' I ', 1)[1])
    elif kind < 0.65 and plain.startswith('What does ') and ' ' in plain[10:]:
        subject, verb = plain[10:].rsplit(' ', 1)
        text = rng.choice(DOES).format(subject, verb) if verb.isalpha() and verb != 'do' else text
    elif kind < 0.82:
        text = rng.choice(BEFORE) + lower + rng.choice(['?', '?', '.', ''])
    elif kind < 0.96:
        text = plain + rng.choice(AFTER) + rng.choice(['?', '.', '', '!'])
    text = text[:1].upper() + text[1:] if rng.random() < 0.8 else text
    return misspelt(rng, text) if rng.random() < 0.06 and len(text) > 8 else text


def decline(rng):
    """Something from outside, the decline, and at times the story that it offers."""
    asked = smalltalk.gibberish(rng)[0] if rng.random() < 0.06 else declines.question(rng) if rng.random() < 0.75 else smalltalk.refusal(rng)[0]
    answer, hero = declines.decline(rng)
    messages = [('user', reworded(rng, asked) if rng.random() < 0.4 else asked), ('assistant', answer)]
    if hero and rng.random() < 0.12:
        v = tales.cast(rng)
        if v['pal'] != hero:
            v |= {'hero0': hero, 'herob': hero, 'hero': f'the {hero}'}
            messages += [('user', rng.choice(['Yes', 'Yes.', 'yes please', 'Yes, please!', 'ok', 'Sure', 'Good idea!'])),
                         ('assistant', tales.telling(rng, v))]
    return messages


def talk(rng):
    kind = rng.random()
    if kind < 0.1:
        question, answer = smalltalk.joke(rng)
        return [('user', typed(rng, rng.choice(JOKE)) if rng.random() < 0.5 else question), ('assistant', answer)]
    if kind < 0.2:
        thing, couplet = rng.choice(list(smalltalk.POEMS.items()))
        ask = rng.choice(POEM + smalltalk.ASK_POEM)
        return [('user', typed(rng, expand(rng, ask, {'thing': thing}))), ('assistant', f'{couplet} {rng.choice(smalltalk.COUPLETS)}')]
    if kind < 0.3:
        return smalltalk.name_exchange(rng)
    index = rng.randrange(len(smalltalk.TALK))
    questions, answers = smalltalk.TALK[index]
    question = expand(rng, rng.choice(TALK[index] if index in TALK and rng.random() < 0.5 else questions))
    return [('user', typed(rng, question)), ('assistant', expand(rng, rng.choice(answers)))]


def counting(rng):
    """Counting to a given number, asked in many ways."""
    low = rng.choice([1, 1, 1, 1, 2, 3, 4, 5, 6])
    high = low + rng.randrange(2, 13)
    ask = ['Count from $low to $high.', 'Can you count from $low to $high?', '$low to $high, please.', 'Count $low to $high.',
           'Please count from $low up to $high.', 'Say the numbers from $low to $high.', 'Write the numbers from $low to $high.',
           'I want you to count from $low to $high.']
    if low == 1:
        ask += ['Count to $high.', 'Can you count to $high?', 'Please count to $high.', 'Count up to $high.'] * 2
    numbers = range(low, high + 1)
    if rng.random() < 0.15:
        ask, numbers = ['Count down from $high to $low.', 'Count backwards from $high to $low.'], range(high, low - 1, -1)
    return [('user', typed(rng, expand(rng, rng.choice(ask), {'low': low, 'high': high}))),
            ('assistant', ', '.join(map(str, numbers)) + '.')]


def asked(rng, kind):
    if kind == 'tales':
        return tales.conversation(rng)
    if kind == 'outside':
        return decline(rng)
    if kind == 'smalltalk':
        return talk(rng)
    if kind == 'facts' and rng.random() < 0.15:
        return counting(rng)
    question, answer = {'sums': sums, 'program': program, 'facts': facts}[kind].exchange(rng)
    if kind == 'facts' and question.lower().startswith(('count', 'can you count')):
        return counting(rng)
    return [('user', question if kind == 'sums' and rng.random() < 0.8 else reworded(rng, question)), ('assistant', answer)]


def entry(rng):
    names, shares = zip(*KINDS)
    kind = rng.choices(names, shares)[0]
    if kind == 'mixed':
        messages = sum((asked(rng, k) for k in rng.choices(names[:-1], [1, 2, 3, 3, 3, 2], k=rng.choice([2, 3, 4]))), [])
    else:
        messages = asked(rng, kind)
        if kind in ('sums', 'program', 'facts', 'smalltalk') and rng.random() < 0.35:
            messages += asked(rng, kind)
    if rng.random() < 0.08:
        messages = [('system', rng.choice(['You are a helpful assistant.', 'You are the demo model of hybrimoe.', 'Answer in short sentences.']))] + messages
    return {'domain': kind, 'messages': messages}


def exercise(rng):
    """Practice: counting, sums, taking up a hero or a name."""
    kind = rng.random()
    if kind < 0.3:
        return {'domain': 'practice', 'messages': counting(rng)}
    if kind < 0.5:
        question, answer = sums.exchange(rng)
        return {'domain': 'practice', 'messages': [('user', question), ('assistant', answer)]}
    if kind < 0.62:
        return {'domain': 'practice', 'messages': smalltalk.name_exchange(rng)}
    return {'domain': 'practice', 'messages': tales.beginning(rng)}


def third(rng):
    """For the last part of the training: the same, with well-known animals for friends in the stories."""
    made = entry(rng)
    if made['domain'] == 'tales':
        made['messages'] = tales.conversation(rng, common=True)
    return made


def drill(rng):
    """Practice for the last part: more sums and facts."""
    kind = rng.random()
    if kind < 0.45:
        question, answer = sums.exchange(rng)
        messages = [('user', question), ('assistant', answer)]
    elif kind < 0.63:
        messages = asked(rng, 'facts')
    elif kind < 0.73:
        messages = counting(rng)
    elif kind < 0.78:
        messages = talk(rng)
    else:
        messages = tales.beginning(rng, common=True)
    return {'domain': 'practice', 'messages': messages}


def last_drill(rng):
    """Practice for the end: sums and their single steps above all, and no story that ends too soon."""
    kind = rng.random()
    if kind < 0.2:
        return {'domain': 'practice', 'text': sums.sheet(rng)}
    if kind < 0.65:
        question, answer = sums.exchange(rng)
        messages = [('user', question), ('assistant', answer)]
    elif kind < 0.85:
        messages = asked(rng, 'facts')
    elif kind < 0.93:
        messages = counting(rng)
    else:
        messages = talk(rng)
    return {'domain': 'practice', 'messages': messages}


def question_key(text):
    """What two wordings of a question have in common if they differ in case and punctuation only."""
    return ' '.join(re.findall(r"[a-z0-9']+|[-+*/]", text.lower()))


def texts(seed, make, count, kept_out):
    """`count` texts; none asks a question whose key is in `kept_out`."""
    rng, found = random.Random(seed), []
    while len(found) < count:
        made = make(rng)
        if not any(role == 'user' and question_key(text) in kept_out for role, text in made.get('messages', [])):
            found.append(made)
    return found

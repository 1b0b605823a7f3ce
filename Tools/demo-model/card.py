"""Writes what `evaluate.py` measured into the model card, between marks, and the picture beside it."""
import math
import pathlib

BEGIN, END = '<!-- written by evaluate.py: {} -->', '<!-- end of {} -->'
ORDER = ('stories', 'sums', 'program', 'facts', 'smalltalk', 'outside')
NAMES = {'stories': 'stories', 'sums': 'sums', 'program': 'the program', 'facts': 'facts', 'smalltalk': 'small talk',
         'outside': 'other questions'}


def percent(x):
    return f'{100 * x:.1f} %'.replace('.0 %', ' %')


def row(name, aim, *figures):
    return f'| {name} | {aim} | ' + ' | '.join(percent(f) for f in figures) + ' |'


def figures(report):
    s, g, e = report['sampled'], report['greedy'], report['experts']
    lines = ['| of the 200 prompts | aim | chat as it is | greedy |', '| --- | --- | --- | --- |',
             row('60 sums of pairs not in training: last number right', '90 %', s['sums'], g['sums']),
             row('200 answers that stop by themselves', '98 %', s['stops'], g['stops']),
             row('50 stories with no run of 12 words that the training text has', '80 %', s['stories']['new'], g['stories']['new']),
             row('30 other questions declined, word for word as `text/declines.py` can', '', s['outside'], g['outside']),
             row('44 stories that have everyone who was asked for', '', s['stories']['asked'], g['stories']['asked']),
             row('50 stories without a character beyond hero and friend', '', s['stories']['kept'], g['stories']['kept']),
             row('20 questions about the program: answer has the right keyword', '', s['program'], g['program']),
             row('20 facts: right', '', s['facts'], g['facts']),
             row('20 small talk: one of the answers that belong there', '', s['smalltalk'], g['smalltalk']),
             '', '| the domain of a prompt, told from its experts | aim | right of 200 |', '| --- | --- | --- |',
             f'| while it is read | 90 % | {percent(e["right"]["prompt"])} |',
             f'| while it is read and answered (greedily) | | {percent(e["right"]["prompt and answer"])} |',
             '', f'The classifier is a logistic regression on the shares of the experts of each layer, fitted on {e["fitted on"]} other',
             'questions of the generator; chance is 17 %.']
    loss = report['held out']
    names = [n for n in loss if n != 'all'] + ['all']
    lines += ['', '| held-out text | ' + ' | '.join(names) + ' |', '| --- |' + ' --- |' * len(names),
              '| loss, nats per answer token | ' + ' | '.join(f'{loss[n]:.3f}' for n in names) + ' |',
              '| perplexity | ' + ' | '.join(f'{math.exp(loss[n]):.2f}' for n in names) + ' |']
    return '\n'.join(lines)


def conversations(report):
    told = ['\n'.join(f'> {q}\n{a}' for q, a in turns) for turns in report['conversations']]
    return '\n\n'.join(f'```text\n{t}\n```' for t in told)


def between(text, name, new):
    """The text with what stands between the marks of `name` replaced."""
    begin, end = BEGIN.format(name), END.format(name)
    head, rest = text.split(begin)
    return f'{head}{begin}\n\n{new}\n\n{end}{rest.split(end)[1]}'


# --- The picture --------------------------------------------------------------------------------------

STYLE = '''<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.small { font-size: 11px; fill: #59636e }
.panel { fill: #eef1f4 }
.use { fill: #0b57b0 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 } .panel { fill: #21262d } .use { fill: #79b8ff }
}
</style>'''
CELL, LEFT, TOP, GAP = 11, 34, 84, 40


def order(shares, layer):
    """The layer's experts, those of one domain side by side, the most its own first."""
    def place(expert):
        own = [shares[d][layer][expert] for d in ORDER]
        best = max(range(len(ORDER)), key=own.__getitem__)
        return best, -own[best]
    return sorted(range(len(shares[ORDER[0]][layer])), key=place)


def picture(usage):
    """SVG: for each domain, layers down and experts across; the fuller a cell, the more of the expert's use is here."""
    shares = {d: [[n / sum(layer) for n in layer] for layer in usage[d]] for d in ORDER}
    layers, experts = len(usage[ORDER[0]]), len(usage[ORDER[0]][0])
    width, height = experts * CELL, layers * CELL
    full = (2 * (LEFT + width) + 20, TOP + 3 * (height + GAP))
    orders = [order(shares, layer) for layer in range(layers)]
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full[0]} {full[1]}" width="{full[0]}" height="{full[1]}" '
           'role="img" aria-label="Share of each layer\'s choices that each expert got, per domain">', STYLE,
           '<text x="8" y="18">Which experts each domain uses</text>',
           '<text class="small" x="8" y="35">Rows: the 8 expert layers. Columns: the 32 experts, in the same order in all six '
           'panels.</text>',
           '<text class="small" x="8" y="50">Empty: never used. Half: as often as the six domains use it on average. Full: twice as '
           'often, or more.</text>']
    for i, domain in enumerate(ORDER):
        x, y = LEFT + i % 2 * (LEFT + width + 10), TOP + i // 2 * (height + GAP)
        out.append(f'<text x="{x}" y="{y - 6}">{NAMES[domain]}</text>')
        out.append(f'<rect class="panel" x="{x}" y="{y}" width="{width}" height="{height}"/>')
        for layer in range(layers):
            if layer % 7 == 0:
                out.append(f'<text class="small" x="{x - 6}" y="{y + layer * CELL + 9}" text-anchor="end">{layer + 1}</text>')
            for column, expert in enumerate(orders[layer]):
                average = sum(shares[d][layer][expert] for d in ORDER) / len(ORDER)
                strength = min(1.0, shares[domain][layer][expert] / max(average, 1e-9) / 2)
                if strength >= 0.02:
                    out.append(f'<rect class="use" x="{x + column * CELL}" y="{y + layer * CELL}" width="{CELL - 1}" '
                               f'height="{CELL - 1}" opacity="{strength:.2f}"/>')
    return '\n'.join([*out, '</svg>']) + '\n'


def write(path, report):
    text = path.read_text(encoding='utf-8')
    text = between(text, 'figures', figures(report))
    text = between(text, 'conversations', conversations(report))
    path.write_text(text, encoding='utf-8')
    (path.parent / 'experts.svg').write_text(picture(report['usage']), encoding='utf-8')

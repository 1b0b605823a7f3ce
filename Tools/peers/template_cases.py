"""Templates to compare: drawn from a grammar, and written in the styles that published ones have.

What is left out on purpose: chance (`random`, `lipsum`), addresses in memory (printing a generator or
a method), and the filters for web pages and people that the program refuses.
"""

import template_conversations
import template_styles

WORDS = ["user", "system", "Hello wORLD", "é😀ß", "a-b c", "  pad\t", "", "x", "line\nbreak\r\nend\n",
         "it's", 'say "hi"', "<b>&</b>", "42", "-7.5", "İSTANBUL ΣΑΣ", "<|im_end|>", "a,b,,c", "%s", "{}"]
KEYS = ["role", "content", "name", "x", "missing", "A", "b"]
NAMES = ["messages", "tools", "s", "t", "n", "m", "f", "g", "l", "w", "d", "e", "nothing", "yes", "no",
         "undefined_name", "ns", "k", "v"]


def quoted(draw, text):
    """A string literal, sometimes with escapes."""
    quote = draw.choice("'\"")
    body = text.replace("\\", "\\\\").replace(quote, "\\" + quote)
    if draw.random() < 0.7:
        body = body.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return quote + body + quote


class Grammar:
    """Draws one template."""

    def __init__(self, draw):
        self.draw = draw
        self.loops = 0
        self.macros = []
        self.count = 0
        self.has_namespace = False

    def pick(self, *choices):
        return self.draw.choice(choices)

    def fresh(self):
        self.count += 1
        return f"v{self.count}" if self.draw.random() < 0.5 else self.pick("k", "v", "x")

    # Expressions, by the type they mostly have

    def string(self, depth):
        if depth <= 0:
            return self.pick("s", "t", "w[0]", "messages[0].role", "messages[-1]['content']",
                             quoted(self.draw, self.pick(*WORDS)), quoted(self.draw, self.pick(*WORDS)))
        inner = lambda: self.string(depth - 1)  # noqa: E731
        number = lambda: self.integer(depth - 1)  # noqa: E731
        return self.pick(
            lambda: f"{inner()} + {inner()}",
            lambda: f"{inner()} ~ {self.any(depth - 1)}",
            lambda: f"({inner()})|{self.pick('upper', 'lower', 'title', 'capitalize', 'trim', 'string', 'reverse')}",
            lambda: f"({inner()}).{self.pick('upper', 'lower', 'title', 'capitalize', 'swapcase', 'strip', 'lstrip', 'rstrip', 'casefold')}()",
            lambda: f"({inner()}).{self.pick('strip', 'lstrip', 'rstrip')}({inner()})",
            lambda: f"({inner()}).replace({inner()}, {inner()}{self.pick('', ', 1', ', -1')})",
            lambda: f"({inner()})|replace({inner()}, {self.any(0)})",
            lambda: f"({inner()}).{self.pick('removeprefix', 'removesuffix')}({inner()})",
            lambda: f"({inner()})[{self.slice()}]",
            lambda: f"({inner()})[{number()}]",
            lambda: f"({self.strings(depth - 1)})|join({inner()})",
            lambda: f"({inner()}).join({self.strings(depth - 1)})",
            lambda: f"({self.any(depth - 1)})|string",
            lambda: f"({self.any(depth - 1)})|tojson{self.pick('', '(indent=2)', '(indent=4, sort_keys=true)', '(ensure_ascii=true)', '(separators=(chr, chr))'.replace('chr, chr', repr(',') + ', ' + repr(':')))}",
            lambda: f"({inner()})|{self.pick('indent', 'indent(2)', 'indent(3, true)', 'indent(1, true, true)', 'truncate(8)', 'truncate(5, true)', 'truncate(6, false, ' + repr('…') + ', 0)', 'center(12)', 'urlencode')}",
            lambda: f"({inner()}).{self.pick('center', 'ljust', 'rjust', 'zfill')}({self.pick(0, 5, 12, -3)})",
            lambda: f"{quoted(self.draw, self.percent())} % ({self.any(depth - 1)}, {self.any(0)})",
            lambda: f"{quoted(self.draw, self.brace())}.format({self.any(depth - 1)}, {self.any(0)}, a={self.any(0)})",
            lambda: f"({inner()} if {self.test(depth - 1)} else {inner()})",
            lambda: f"({inner()}).{self.pick('split', 'rsplit', 'splitlines')}()[{number()}]",
            lambda: f"({inner()}).partition({inner()})[{self.pick(0, 1, 2)}]",
            lambda: f"({inner()}) * {self.pick(0, 1, 2, -1)}",
            lambda: f"({self.any(0)})|default({inner()}{self.pick('', ', true')})",
            lambda: f"({self.strings(depth - 1)})|{self.pick('first', 'last', 'max', 'min')}",
        )()

    def percent(self):
        flags = self.pick("", "-", "0", "+", " ", "#")
        return (f"%{flags}{self.pick('', '3', '8')}{self.pick('', '.2', '.0')}{self.pick(*'sdfxegriXoEG')}"
                f"|%{self.pick('', '5')}s" + self.pick("", "%%"))

    def brace(self):
        form = self.pick("", ":", ":>8", ":<6", ":^9", ":*^7", ":.2f", ":5d", ":,", ":+", ":e", ":.3", ":x", ":#b",
                         ":08.3f", ":s", "!r", "!r:>6", ":%", ":g", ":.3s")
        return self.pick("{" + form + "}|{a}", "{0" + form + "}{1}", "{a" + form + "}{{}}", "{}{}", "{a" + form + "}")

    def integer(self, depth):
        if depth <= 0:
            return self.pick("n", "m", "0", "1", "2", "-1", "3", "10", "l[0]", "0x1f", "1_000")
        inner = lambda: self.integer(depth - 1)  # noqa: E731
        return self.pick(
            lambda: f"{inner()} {self.pick('+', '-', '*', '//', '%')} {inner()}",
            lambda: f"({inner()}) {self.pick('+', '-', '*', '//', '%')} ({inner()})",
            lambda: f"({inner()}) ** {self.pick(0, 1, 2, 3, -1)}",
            lambda: f"-({inner()})",
            lambda: f"({self.list(depth - 1)})|{self.pick('length', 'count')}",
            lambda: f"({self.string(depth - 1)})|length",
            lambda: f"({self.string(depth - 1)}).{self.pick('find', 'rfind', 'count', 'index')}({self.string(depth - 1)})",
            lambda: f"({self.any(depth - 1)})|int{self.pick('', '(9)', '(0, 16)', '(base=2)')}",
            lambda: f"({self.number(depth - 1)})|abs",
            lambda: f"({self.string(depth - 1)})|wordcount",
            lambda: "l|sum", lambda: f"({self.numbers(depth - 1)})|{self.pick('sum', 'max', 'min', 'first', 'last')}",
        )()

    def number(self, depth):
        if depth <= 0 or self.draw.random() < 0.4:
            return self.pick("f", "g", "1.5", "-0.25", "1e3", "2.5e-7", "1e17", "n", self.integer(max(depth - 1, 0)))
        inner = lambda: self.number(depth - 1)  # noqa: E731
        return self.pick(
            lambda: f"({inner()}) {self.pick('+', '-', '*', '/', '//', '%')} ({inner()})",
            lambda: f"({inner()})|round{self.pick('', '(1)', '(2)', '(1, ' + repr('floor') + ')', '(0, ' + repr('ceil') + ')', '(-1)')}",
            lambda: f"({self.any(depth - 1)})|float{self.pick('', '(1.5)')}",
        )()

    def list(self, depth):
        return self.pick(self.strings, self.numbers, self.things)(depth)

    def numbers(self, depth):
        if depth <= 0:
            return self.pick("l", "[3, 1, 2]", "[]", "range(4)|list", "[1.5, 2]", "(1, 2)")
        inner = lambda: self.numbers(depth - 1)  # noqa: E731
        return self.pick(
            lambda: f"({inner()})|{self.pick('sort', 'sort(reverse=true)', 'unique|list', 'reverse|list', 'list')}",
            lambda: f"({inner()}) + [{self.number(depth - 1)}]",
            lambda: f"({inner()})[{self.slice()}]",
            lambda: f"range({self.integer(0)}, {self.integer(0)})|list",
            lambda: f"({inner()})|select({self.pick(repr('odd'), repr('even'), repr('gt') + ', 1', repr('divisibleby') + ', 2', '')})|list",
            lambda: f"({inner()})|reject({self.pick(repr('odd'), repr('lt') + ', 2', repr('in') + ', [1]')})|list",
            lambda: f"({inner()})|map({self.pick(repr('string'), repr('abs'), repr('round') + ', 1', repr('float'))})|list",
            lambda: f"({inner()})|batch(2{self.pick('', ', 0')})|list",
            lambda: f"({inner()})|slice(2{self.pick('', ', 0')})|list",
            lambda: f"({inner()}) * 2",
        )()

    def strings(self, depth):
        if depth <= 0:
            return self.pick("w", "['b', 'A', 'c']", "messages|map(attribute='role')|list", "d.keys()|list", "'abc'|list")
        inner = lambda: self.strings(depth - 1)  # noqa: E731
        return self.pick(
            lambda: f"({self.string(depth - 1)}).{self.pick('split', 'rsplit')}({self.pick('', self.string(0), self.string(0) + ', 1', 'none, 1')})",
            lambda: f"({self.string(depth - 1)}).splitlines({self.pick('', 'true')})",
            lambda: f"({inner()})|{self.pick('sort', 'sort(case_sensitive=true)', 'unique|list', 'reverse|list')}",
            lambda: f"({inner()})|map({self.pick(repr('upper'), repr('length'), repr('trim'), repr('default') + ', 1')})|list",
            lambda: f"({inner()})[{self.slice()}]",
            lambda: f"({inner()}) + [{self.string(depth - 1)}]",
        )()

    def things(self, depth):
        if depth <= 0:
            return self.pick("messages", "tools", "d.items()|list", "[none, true, 1]", "[[1, 2], [3]]", "d|dictsort", "[(1, 'a')]")
        return self.pick(
            lambda: f"messages|selectattr({quoted(self.draw, self.pick(*KEYS))}{self.pick('', ', ' + repr('defined'), ', ' + repr('equalto') + ', ' + repr('user'), ', ' + repr('none'), ', ' + repr('string'))})|list",
            lambda: f"messages|rejectattr('role', {self.pick(repr('equalto'), repr('in'), repr('=='), repr('ne'))}, {self.any(0)})|list",
            lambda: f"messages|groupby('role'{self.pick('', ', case_sensitive=true')})",
            lambda: f"messages|map(attribute={quoted(self.draw, self.pick(*KEYS))}{self.pick('', ', default=' + repr('-'))})|list",
            lambda: f"messages|sort(attribute={quoted(self.draw, self.pick('role', 'content', 'role,content', 'x'))})",
            lambda: f"messages|unique(attribute='role')|list",
            lambda: f"d|dictsort({self.pick('', 'true', 'false, ' + repr('value'), 'reverse=true')})",
            lambda: f"[{self.any(depth - 1)}, {self.any(depth - 1)}]",
            lambda: f"({self.any(depth - 1)}, {self.any(depth - 1)})",
            lambda: f"({self.things(depth - 1)})[{self.slice()}]",
        )()

    def mapping(self, depth):
        if depth <= 0:
            return self.pick("d", "messages[0]", "{}", "{'a': 1, 'b': [2]}", "tools[0]", "d.c")
        return self.pick(
            lambda: f"{{{quoted(self.draw, self.pick(*KEYS))}: {self.any(depth - 1)}, {self.any(0)}: {self.any(0)}}}",
            lambda: f"dict({self.mapping(0)}, z={self.any(depth - 1)})",
            lambda: "dict([['a', 1], ('b', 2)])", lambda: f"namespace(a={self.any(depth - 1)})",
        )()

    def slice(self):
        part = lambda: self.pick("", "1", "-1", "2", "-3", "0", "n")  # noqa: E731
        return f"{part()}:{part()}" + self.pick("", "", f":{self.pick('', '2', '-1', '-2')}")

    def test(self, depth):
        if depth <= 0:
            return self.pick("yes", "no", "n > 2", "s", "undefined_name", "none", "messages", "loop.first" if self.loops else "e")
        any_ = lambda: self.any(depth - 1)  # noqa: E731
        return self.pick(
            lambda: f"{any_()} is {self.pick('', 'not ')}{self.pick('defined', 'undefined', 'none', 'string', 'number', 'mapping', 'sequence', 'iterable', 'boolean', 'true', 'false', 'integer', 'float', 'upper', 'lower', 'callable')}",
            lambda: f"{self.number(depth - 1)} is {self.pick('odd', 'even', 'divisibleby 3', 'divisibleby(2)')}",
            lambda: f"({any_()}) is {self.pick('eq', 'ne', 'sameas', 'in', 'equalto', 'gt', 'lessthan')}({any_()})",
            lambda: f"({any_()}) {self.pick('==', '!=')} ({any_()})",
            lambda: f"({self.number(depth - 1)}) {self.pick('<', '>', '<=', '>=')} ({self.number(depth - 1)}){self.pick('', ' < 5', ' != n')}",
            lambda: f"({self.string(depth - 1)}) {self.pick('<', '>=')} ({self.string(depth - 1)})",
            lambda: f"({self.string(depth - 1)}) {self.pick('in', 'not in')} ({self.pick(self.string, self.list, self.mapping)(depth - 1)})",
            lambda: f"({self.string(depth - 1)}).{self.pick('startswith', 'endswith')}({self.string(0)})",
            lambda: f"({self.string(depth - 1)}).{self.pick('isdigit', 'isalpha', 'isalnum', 'isupper', 'islower', 'isspace', 'istitle', 'isnumeric', 'isdecimal', 'isidentifier', 'isascii', 'isprintable')}()",
            lambda: f"not {self.test(depth - 1)}",
            lambda: f"({self.test(depth - 1)} {self.pick('and', 'or')} {self.test(depth - 1)})",
            lambda: f"{quoted(self.draw, self.pick('upper', 'nofilter', 'odd'))} is {self.pick('filter', 'test')}",
        )()

    def any(self, depth):
        if depth <= 0 or self.draw.random() < 0.15:
            return self.pick(*NAMES, quoted(self.draw, self.pick(*WORDS)), self.integer(0), "none", "true", "False", "[]", "''", "1.0")
        return self.pick(self.string, self.integer, self.number, self.list, self.mapping, self.access, self.test,
                         self.wrong)(depth)

    def access(self, depth):
        base = self.pick("messages[0]", "d", "messages[-1]", "tools[0].function", "ns", "loop" if self.loops else "d.c", self.mapping(depth - 1))
        key = self.pick(*KEYS)
        return self.pick(f"{base}.{key}", f"{base}[{quoted(self.draw, key)}]", f"{base}.get({quoted(self.draw, key)})",
                         f"{base}.get({quoted(self.draw, key)}, {self.any(0)})", f"({base})|attr({quoted(self.draw, key)})",
                         "loop." + self.pick("index", "index0", "first", "last", "length", "revindex", "revindex0", "depth", "previtem", "nextitem") if self.loops else f"{base}.x",
                         f"loop.{self.pick('cycle', 'changed')}({self.any(0)}, {self.any(0)})" if self.loops else "d.x.y")

    def wrong(self, depth):
        """Something that Python mostly refuses."""
        if self.draw.random() < 0.9:
            return self.string(depth - 1)
        return self.pick("undefined_name.x", "none + 1", "'a' + 1", "1 // 0", "l.append(1)", "d.update({})", "[] < 1", "d.pop('x')",
                         "raise_exception('no')", "s()", "messages[99].role", "{l: 1}", "1 | length", "none | join", "5 in 5",
                         "'%d' % 'x'", "-'a'", "s.nomethod()", "l | first.x", "d.__class__", "range(1, 2, 0)", "'a'.split('')")

    # Statements

    def text(self):
        return self.pick("text", " ", "\n", "\n\n", "  \n  ", "\t", "a\n  b", "é😀", "<|x|>", "\r\n", "{ ", "} ", "# ", "", "x ", " y")

    def opening(self):
        return self.pick("{%", "{%", "{%", "{%-", "{%-", "{%+")

    def closing(self):
        return self.pick("%}", "%}", "%}", "-%}", "-%}", "+%}")

    def tag(self, inside):
        return f"{self.opening()} {inside} {self.closing()}"

    def body(self, depth):
        parts = []
        for _ in range(self.draw.randint(1, 3)):
            parts += [self.text(), self.statement(depth)]
        return "".join(parts) + self.text()

    def output(self, depth):
        return f"{self.pick('{{', '{{', '{{-')} {self.any(depth)}{self.pick('', '', '', '|e')} {self.pick('}}', '}}', '-}}')}"

    def statement(self, depth):
        if depth <= 0:
            return self.output(2)
        return self.pick(self.output, self.output, self.output, self.when, self.when, self.loop, self.loop, self.set, self.set,
                         self.set_block, self.macro, self.call, self.filter, self.comment, self.raw, self.scope,
                         self.generation, self.leave, self.namespace)(depth)

    def when(self, depth):
        result = self.tag(f"if {self.test(2)}") + self.body(depth - 1)
        if self.draw.random() < 0.3:
            result += self.tag(f"elif {self.test(1)}") + self.body(depth - 1)
        if self.draw.random() < 0.5:
            result += self.tag("else") + self.body(depth - 1)
        return result + self.tag("endif")

    def loop(self, depth):
        target, source = self.pick(("k", self.list(1)), ("m", "messages"), ("k, v", "d.items()"), ("k, v", "d|dictsort"),
                                   ("c", self.string(1)), ("k", "d"), ("k", "range(3)"), ("k, v", self.list(1)), ("i", self.any(1)),
                                   ("m", "messages[1:]"), ("(k, v)", "[(1, 2), 'ab']"), ("k", "l|map('string')"))
        condition = f" if {self.test(1)}" if self.draw.random() < 0.25 else ""
        self.loops += 1
        result = self.tag(f"for {target} in {source}{condition}") + self.body(depth - 1)
        self.loops -= 1
        if self.draw.random() < 0.25:
            result += self.tag("else") + self.body(depth - 1)
        return result + self.tag("endfor")

    def set(self, depth):
        target = self.fresh()
        if self.draw.random() < 0.15:
            return self.tag(f"set {target}, {self.fresh()} = {self.pick('1, 2', '(3, 4)', repr('ab'), self.list(1))}")
        return self.tag(f"set {target} = {self.any(depth)}") + self.pick("", "{{ " + target + " }}")

    def set_block(self, depth):
        target = self.fresh()
        chosen = self.pick("", "", " | upper", " | trim | length", " | replace('a', 'b')")
        return self.tag(f"set {target}{chosen}") + self.body(depth - 1) + self.tag("endset") + "[{{ " + target + " }}]"

    def macro(self, depth):
        name = f"f{len(self.macros)}"
        signature = self.pick("", "a", "a, b=2", "a, b=a", "x='é', y=none")
        saved, self.loops = self.loops, 0
        extra = self.pick("", "{{ varargs }}", "{{ kwargs }}", "{{ caller() if caller else '-' }}", "{{ a }}")
        result = self.tag(f"macro {name}({signature})") + extra + self.body(depth - 1) + self.tag("endmacro")
        self.loops = saved
        self.macros.append(name)
        return result + self.calls(name)

    def calls(self, name):
        arguments = self.pick("", self.any(1), f"{self.any(0)}, {self.any(0)}", f"b={self.any(0)}", f"{self.any(0)}, z=1", f"*{self.list(0)}",
                              "**{'a': 1}")
        return f"{{{{ {name}({arguments}) }}}}"

    def call(self, depth):
        if not self.macros:
            return self.output(depth)
        name = self.pick(*self.macros)
        saved, self.loops = self.loops, 0
        result = self.tag(f"call{self.pick('', '', '(a)')} {name}({self.any(0)})") + self.body(depth - 1) + self.tag("endcall")
        self.loops = saved
        return result

    def filter(self, depth):
        return self.tag(f"filter {self.pick('upper', 'trim', 'title', 'indent(2)', 'replace(' + repr('x') + ', s)', 'length')}") + \
            self.body(depth - 1) + self.tag("endfilter")

    def comment(self, _depth):
        return self.pick("{# c #}", "{#- c -#}", "{#\n {{ x }} #}", "{#+ c +#}", "  {# c #}\n")

    def raw(self, _depth):
        return self.pick("{% raw %}{{ x }}{% endraw %}", "{%- raw -%} {% if %} {%- endraw -%}", "{% raw %}\n#}\n{% endraw %}")

    def scope(self, depth):
        return self.tag(f"with {self.pick('k', 'z')} = {self.any(1)}") + self.body(depth - 1) + self.tag("endwith")

    def generation(self, depth):
        saved, self.loops = self.loops, 0
        result = self.tag("generation") + self.body(depth - 1) + self.tag("endgeneration")
        self.loops = saved
        return result

    def leave(self, _depth):
        if not self.loops:
            return self.output(1)
        return self.tag(f"if {self.test(1)}") + self.tag(self.pick("break", "continue")) + self.tag("endif")

    def namespace(self, _depth):
        if not self.has_namespace and self.draw.random() < 0.9:
            return self.output(1)
        name = self.pick("a", "b")
        return self.tag(f"set ns.{name} = {self.pick('ns.a', self.string(1), self.integer(1), 'd')}") + "{{ ns.a }}"

    def template(self):
        start = self.pick("", "{% set ns = namespace(a=1, b='x') %}", "{%- set ns = namespace(a=0) -%}\n")
        self.has_namespace = bool(start)
        result = start + self.body(self.pick(1, 2, 2, 3))
        if self.draw.random() < 0.06:
            # A slip of the keyboard: both must refuse it, or read it alike.
            index = self.draw.randrange(len(result))
            result = result[:index] + self.pick("", "}", "{%", "'", "(", "|", "end") + result[index + 1:]
        return result


def generated(draw):
    """One case of the grammar."""
    variables = {
        "messages": [{"role": "system", "content": draw.choice(WORDS)}, {"role": "user", "content": draw.choice(WORDS)},
                     {"role": "assistant", "content": draw.choice(WORDS), "x": 1.5, "items": [1]}][:draw.randint(1, 3)],
        "tools": template_conversations.TOOLS, "s": draw.choice(WORDS), "t": draw.choice(WORDS),
        "n": draw.choice([0, 1, 2, 7, -3, 255]), "m": draw.choice([1, 3, 12345678901234567890, -9]),
        "f": draw.choice([0.1, 2.675, -1.5, 1e22, 3.0]), "g": draw.choice([0.0, 1e-7, 123456.789, 2.5]),
        "l": [3, 1, 2][:draw.randint(1, 3)], "w": draw.sample(WORDS, 3),
        "d": {"b": 1, "A": 2.5, "c": {"x": [1, "é"]}, "items": None}, "e": draw.choice(["", [], {}]),
        "nothing": None, "yes": True, "no": False,
    }
    return {"template": Grammar(draw).template(), "variables": variables}


def styled():
    """Every style of published templates with every made-up conversation."""
    cases = []
    for name, template in template_styles.TEMPLATES.items():
        for label, variables in template_conversations.all():
            cases.append({"name": f"{name}: {label}", "template": template, "variables": variables})
    return cases

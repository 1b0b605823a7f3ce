import ChatTemplates
import Testing

/// What jinja2 3.1.6 writes, set up as chat templates have it; `Tools/peers/compare_templates.py`
/// compares thousands of generated ones.
@Suite struct `The language` {
  @Test(arguments: [
    ("a\n{% if true %}\nb\n{% endif %}\nc\n", "a\nb\nc"),
    ("a \n  {% if true %} b {% endif %}  \n c", "a \n b   \n c"),
    ("a \n {%- if true -%} \n b {%- endif %} c", "ab c"),
    ("a {%+ if true +%}\n b{% endif %}", "a \n b"),
    ("  {# gone #}\nx{#- and -#}  y", "xy"),
    ("{% raw %}{{ x }}{% if %}{%- endraw %} z", "{{ x }}{% if %} z"),
    ("  {{ 1 }}\n  {{- 2 }}", "  12"), ("x\n\n", "x\n"), ("a\r\nb\rc", "a\nb\nc"),
  ])
  func `white space is dropped where jinja2 drops it`(template: String, text: String) throws {
    #expect(try render(template) == text)
  }

  @Test(arguments: [
    ("{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }}", "3 -4 2 3.5 1024"),
    (
      "{{ 1e16 }} {{ 1e15 }} {{ 0.00001 }} {{ 1.0 }} {{ 10**30 }}",
      "1e+16 1000000000000000.0 1e-05 1.0 1000000000000000000000000000000"
    ),
    ("{{ 1 ~ 'x' ~ none ~ true }} {{ 'a' * 3 }} {{ [1] + [2] }}", "1xNoneTrue aaa [1, 2]"),
    (
      "{{ 1 < 2 < 3 }} {{ 1 < 2 > 5 }} {{ 'a' in 'abc' }} {{ 3 not in [1] }}",
      "True False True True"
    ),
    ("{{ 0 or '' or 'z' }} {{ 1 and 'x' }} {{ not none }}", "z x True"),
    ("{{ 'a' if false }}{{ x }}{{ x is defined }}{{ [x] }}", "False[Undefined]"),
    (
      "{{ \"it's\" }} {{ [\"it's\", 'q\"', '\\n', none, (1,)] }}",
      "it's [\"it's\", 'q\"', '\\n', None, (1,)]"
    ),
    ("{{ 'abcdef'[1:4] }}{{ 'abc'[-1] }}{{ 'abc'[::-1] }}{{ [1, 2, 3][-2:] }}", "bcdccba[2, 3]"),
    ("{{ '\\x41\\u00e9\\t|' 'joined' }}", "Aé\t|joined"),
  ])
  func `values are calculated and printed as Python does`(template: String, text: String) throws {
    #expect(try render(template) == text)
  }

  @Test(arguments: [
    (
      "{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}",
      "12 13 1"
    ),
    ("{% macro f() %}{{ q }}{% endmacro %}{{ f() }}{% set q = 5 %}{{ f() }}", "5"),
    // Since the template sets n, the loop before it sees that n, which has no value yet.
    ("{% for i in [1] %}[{{ n }}]{% endfor %}{% set n = 3 %}{{ n }}", "[]3"),
    ("{% if true %}{% set x = 9 %}{% endif %}{{ x }}", "9"),
    (
      "{% set ns = namespace(a=1) %}{% for i in [2, 3] %}{% set ns.a = ns.a * i %}{% endfor %}"
        + "{{ ns.a }}", "6"
    ),
    ("{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}", "12"),
    ("{% set x %}b{{ 1 }}{% endset %}{% set y | upper %}c{% endset %}{{ x }}{{ y }}", "b1C"),
  ])
  func `names belong to the scopes that jinja2 gives them to`(
    template: String, text: String
  ) throws {
    #expect(try render(template, #"{"n": 7}"#) == text)
  }

  @Test(arguments: [
    (
      "{% for a, b in d.items() %}{{ loop.index }}{{ a }}{{ b }}{{ '' if loop.last else ',' }}"
        + "{% endfor %}", "1x1,2y2"
    ),
    (
      "{% for i in range(6) if i is odd %}{{ i }}{{ loop.length }}{% else %}e{% endfor %}", "133353"
    ),
    ("{% for i in [] %}x{% else %}none{% endfor %}", "none"),
    (
      "{% for i in range(5) %}{% if i == 1 %}{% continue %}{% endif %}{% if i == 3 %}{% break %}"
        + "{% endif %}{{ i }}{% endfor %}", "02"
    ),
    (
      "{% for n in [[1, [2]], 3] recursive %}{{ loop(n) if n is iterable else n }}{{ loop.depth }}"
        + "{% endfor %}", "12232131"
    ),
    (
      "{% for i in [1, 1, 2] %}{{ loop.changed(i) }}{{ loop.cycle('a', 'b') }}{{ loop.previtem }}"
        + "{{ loop.nextitem }}{{ loop.revindex0 }} {% endfor %}",
      "Truea12 Falseb121 Truea10 "
    ),
    (
      "{% macro m(a, b=2) %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{% endmacro %}"
        + "{{ m(1) }}{{ m(1, 3, 4, k=5) }}", "12(){}13(4,){'k': 5}"
    ),
    (
      "{% macro m() %}<{{ caller(3) }}>{% endmacro %}{% call(x) m() %}{{ x + 1 }}{% endcall %}",
      "<4>"
    ),
    ("{% filter upper %}a{{ 'b' }}{% endfilter %}{% generation %}c{% endgeneration %}", "ABc"),
  ])
  func `loops, macros and blocks`(template: String, text: String) throws {
    #expect(try render(template, #"{"d": {"x": 1, "y": 2}}"#) == text)
  }

  @Test(arguments: [
    ("{{ m | tojson }}", #"{"z": [1.5, null, true], "a": "é\n\"<"}"#),
    (
      "{{ m | tojson(indent=2) }}",
      "{\n  \"z\": [\n    1.5,\n    null,\n    true\n  ],\n  \"a\": \"é\\n\\\"<\"\n}"
    ),
    (
      "{{ m | tojson(sort_keys=true, separators=(',', ':'), ensure_ascii=true) }}",
      #"{"a":"\u00e9\n\"<","z":[1.5,null,true]}"#
    ),
    ("{{ m }}", "{'z': [1.5, None, True], 'a': 'é\\n\"<'}"),
    (
      "{{ m.a | trim | length }} {{ m.keys() }} {{ m | dictsort | first | first }}",
      "4 dict_keys(['z', 'a']) a"
    ),
    ("{{ big }} {{ big + 1 }}", "18446744073709551615 18446744073709551616"),
  ])
  func `JSON comes in and goes out as it is`(template: String, text: String) throws {
    let variables = #"{"m": {"z": [1.5, null, true], "a": "é\n\"<"}, "big": 18446744073709551615}"#
    #expect(try render(template, variables) == text)
  }

  @Test(arguments: [
    (
      "{{ [3, 1, 2] | sort | join('-') }}{{ ['b', 'A'] | sort }}{{ [1, 2, 3] | sum }}",
      "1-2-3['A', 'b']6"
    ),
    (
      "{{ l | map(attribute='r') | list }}{{ l | selectattr('r', 'equalto', 'u') | list | length }}",
      "['u', 's', 'u']2"
    ),
    (
      "{{ l | groupby('r') | map('first') | list }}{{ l | map(attribute='q', default=0) | sum }}",
      "['s', 'u']5"
    ),
    (
      "{{ [1, 2, 3] | batch(2) | list }}{{ [1, 2, 3] | slice(2) | list }}{{ 'abc' | reverse }}",
      "[[1, 2], [3]][[1, 2], [3]]cba"
    ),
    (
      "{{ 'a b'.title() }}{{ 'x' | default('y') }}{{ z | d('y') }}{{ '' | d('y', true) }}", "A Bxyy"
    ),
    (
      "{{ 2.675 | round(2) }} {{ 2.5 | round }} {{ 42.55 | round(1, 'floor') }} {{ '3.9' | int }}",
      "2.67 2.0 42.5 3"
    ),
    (
      "{{ '%.2f|%5d|%-3s|%x' % (2.675, 42, 'a', 255) }} {{ '{:>5}|{0.r}'.format('a') if false }}",
      "2.67|   42|a  |ff "
    ),
    ("{{ '{:>5}|{b[0]}|{:,.1f}'.format('a', 1234.56, b=[7]) }}", "    a|7|1,234.6"),
    (
      "{{ 'a,b,,c'.split(',') }}{{ ' a  b '.split() }}{{ 'a b c'.rsplit(' ', 1) }}",
      "['a', 'b', '', 'c']['a', 'b']['a b', 'c']"
    ),
    (
      "{{ 'xaxbx'.strip('x') }}{{ 'ab'.removeprefix('a') }}{{ 'a-b'.replace('-', '+') }}", "axbba+b"
    ),
    (
      "{{ 'one two three' | truncate(7) }}{{ 'a\\nb' | indent(2) }}{{ '<&>' | e }}",
      "one...a\n  b&lt;&amp;&gt;"
    ),
  ])
  func `filters and methods`(template: String, text: String) throws {
    let variables = #"{"l": [{"r": "u", "q": 5}, {"r": "s"}, {"r": "u"}]}"#
    #expect(try render(template, variables) == text)
  }

  @Test func `the date is the one that was given`() throws {
    #expect(
      try render("{{ strftime_now('%d %b %Y, %A %H:%M %j') }}{{ strftime_now('%-d') }}")
        == "05 Aug 2025, Tuesday 14:30 2175")
  }
}

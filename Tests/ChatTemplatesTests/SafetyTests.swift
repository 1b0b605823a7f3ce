import ChatTemplates
import Testing

@Suite struct `Errors and limits` {
  @Test(arguments: [
    ("a\n {% if %}", 2, 8), ("{{ x", 1, 1), ("{% for x in y %}", 1, 4), ("{{ 'a }}", 1, 4),
    ("{% endif %}", 1, 4), ("{{ (1 }}", 1, 7), ("{{ 1 | nofilter }}", 1, 8),
    ("{{ x is notest }}", 1, 9), ("\n\n  {# x", 3, 3), ("{% set loop.x.y = 1 %}", 1, 14),
    ("{% break %}", 1, 4), ("{{ f(a=1, a=2) }}", 1, 11), ("{{ 1 +* 2 }}", 1, 7),
  ])
  func `mistakes of a template are told with their place`(
    template: String, line: Int, column: Int
  ) throws {
    let error = try failure(template)
    #expect(error?.reason == .syntax)
    #expect(error?.line == line && error?.column == column, "\(String(describing: error))")
  }

  @Test(arguments: [
    "{{ x.y }}", "{{ none.x.y }}", "{{ 1 + 'a' }}", "{{ 1 // 0 }}", "{{ [] < 1 }}", "{{ 'a' + 1 }}",
    "{{ x() }}", "{{ {}['a']['b'] }}", "{% for a, b in [1] %}{% endfor %}", "{{ {[]: 1} }}",
    "{{ [1].append(2) }}", "{{ {}.update({}) }}", "{{ 'a'.__class__.x }}", "{{ 2 ** 200 }}",
    "{{ 170141183460469231731687303715884105727 + 1 }}", "{{ 'x' | random }}", "{{ range(0.5) }}",
    "{% set x.y = 1 %}", "{{ -(-(2 ** 126) * 2) }}", "{% include 'x' %}", "{{ 'x'[::0] }}",
    "{{ 'a'.split('') }}", "{{ x | tojson }}", "{{ '%d' % 'a' }}", "{{ '{}'.format() }}",
    "{{ [1, 'a'] | sort }}", "{{ 1 | length }}", "{{ 'a' | slice(0) | list }}", "{{ dict(1) }}",
    "{{ [[1]] | map('nofilter') | list }}",
  ])
  func `what Python refuses is an error, never a trap`(template: String) throws {
    #expect(try failure("ok\n" + template)?.reason == .rendering)
    #expect(try failure("ok\n" + template)?.line == 2)
  }

  @Test func `a template can refuse a conversation`() throws {
    let error = try failure("{{ raise_exception('Roles must ' ~ 'alternate') }}")
    #expect(error?.reason == .refused)
    #expect(error?.message == "Roles must alternate")
  }

  @Test(arguments: [
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "{{ 'x' * 1000000000 }}", "{{ [1] * 1000000000 }}", "{{ range(100000000) }}",
    "{% set n = namespace(s='xx') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% macro f(a) %}{{ f([a]) }}{% endmacro %}{{ f(1) }}",
    "{% set n = namespace(l=[]) %}{% for i in range(999) %}{% set n.l = [n.l] %}{% endfor %}",
    "{% set n = namespace() %}{% set n.n = n %}{{ n }}",
    "{% set n = namespace(g=[1]) %}{% for i in range(999) %}{% set n.g = n.g | map('string') %}"
      + "{% endfor %}{{ n.g | list }}",
    "{% for x in [1] recursive %}{{ loop([x]) }}{% endfor %}",
    "{{ '%999999999d' % 1 }}", "{{ '{:999999999}'.format(1) }}", "{{ 'a'.ljust(999999999) }}",
    "{{ 'a' | indent(99999999999999999999) }}", "{{ 'a\\tb'.expandtabs(999999999) }}",
    "{{ ('a' * 9999).replace('', 'b' * 9999) }}", "{{ ('b' * 9999).join('a' * 9999) }}",
  ])
  func `what would never end, or grow too large, is stopped`(template: String) throws {
    let limits = ChatTemplateLimits(steps: 20_000, characters: 100_000)
    #expect(try failure(template, limits: limits)?.reason == .limit)
  }

  @Test(arguments: [
    String(repeating: "(", count: 20_000), String(repeating: "[", count: 20_000),
    String(repeating: "-", count: 20_000) + "1", String(repeating: "not ", count: 20_000) + "1",
    "1" + String(repeating: " + 1", count: 20_000), "a" + String(repeating: ".a", count: 20_000),
    "a" + String(repeating: "|e", count: 20_000), "1" + String(repeating: " if 1", count: 20_000),
    "1" + String(repeating: " if 1 else 1", count: 20_000),
    String(repeating: "{1:", count: 20_000), "a" + String(repeating: "[a", count: 20_000),
    "a" + String(repeating: "(a", count: 20_000), "a" + String(repeating: " is b", count: 20_000),
  ])
  func `deep expressions are refused before they exhaust the stack`(expression: String) throws {
    #expect(try failure("{{ \(expression) }}")?.reason == .syntax)
  }

  @Test func `deep blocks are refused before they exhaust the stack`() throws {
    for tag in ["if 1", "for x in y", "filter e", "set x", "macro f()", "call f()", "with"] {
      let template = String(repeating: "{% \(tag) %}", count: 20_000)
      #expect(try failure(template)?.reason == .syntax)
    }
    let targets = String(repeating: "(", count: 20_000)
    #expect(try failure("{% set \(targets) = 1 %}")?.reason == .syntax)
  }

  @Test func `long chains of objects are released one by one`() throws {
    let chain =
      "{% set n = namespace(l=none) %}{% for i in range(3000) %}"
      + "{% set n.l = namespace(next=n.l) %}{% endfor %}{{ n.l.next is defined }}"
    #expect(try render(chain) == "True")
    let macros =
      "{% macro w(f) %}{% macro g() %}{{ f }}{% endmacro %}{% set n.f = g %}{% endmacro %}"
      + "{% set n = namespace(f=1) %}{% for i in range(1000) %}{{ w(n.f) }}{% endfor %}ok"
    #expect(try render(macros) == "ok")
  }
}

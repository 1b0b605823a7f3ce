"""Templates written for this comparison, in the manner of the published families: the same constructs
of the language, other words."""

TURNS = """\
{%- if not messages %}{{- raise_exception('There is nothing to say.') }}{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set opening = messages[0]['content'] %}
    {%- set talk = messages[1:] %}
{%- else %}
    {%- set opening = 'You help people.' %}
    {%- set talk = messages %}
{%- endif %}
{{- '<|turn|>system\\n' + opening }}
{%- if tools %}
    {{- "\\n\\n## Functions\\n<functions>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</functions>\\nCall one as {\\"name\\": ..., \\"arguments\\": ...}." }}
{%- endif %}
{{- '<|over|>\\n' }}
{%- set state = namespace(searching=true, last=talk|length - 1) %}
{%- for message in talk[::-1] %}
    {%- set place = (talk|length - 1) - loop.index0 %}
    {%- if state.searching and message.role == "user" and message.content is string and not(message.content.startswith('<answer>') and message.content.endswith('</answer>')) %}
        {%- set state.searching = false %}
        {%- set state.last = place %}
    {%- endif %}
{%- endfor %}
{%- for message in talk %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if message.role in ["user", "system"] %}
        {{- '<|turn|>' + message.role + '\\n' + content + '<|over|>\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set thoughts = '' %}
        {%- if message.reasoning_content is defined and message.reasoning_content is not none %}
            {%- set thoughts = message.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set thoughts = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {{- '<|turn|>assistant\\n' }}
        {%- if loop.index0 > state.last and (loop.last or (not loop.last and thoughts)) %}
            {{- '<think>\\n' + thoughts.strip('\\n') + '\\n</think>\\n\\n' }}
        {%- endif %}
        {{- content }}
        {%- for call in message.tool_calls or [] %}
            {%- if (loop.first and content) or (not loop.first) %}{{- '\\n' }}{%- endif %}
            {%- set call = call.function if call.function else call %}
            {{- '<call>{"name": "' ~ call.name ~ '", "arguments": ' }}
            {%- if call.arguments is string %}{{- call.arguments }}{%- else %}{{- call.arguments | tojson }}{%- endif %}
            {{- '}</call>' }}
        {%- endfor %}
        {{- '<|over|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (talk[loop.index0 - 1].role != "tool") %}{{- '<|turn|>user' }}{%- endif %}
        {{- '\\n<answer>\\n' ~ content ~ '\\n</answer>' }}
        {%- if loop.last or (talk[loop.index0 + 1].role != "tool") %}{{- '<|over|>\\n' }}{%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|turn|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}
"""

FLAGS = """\
{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}\
{% set ns = namespace(first=true, inside=false, spoke=false, instructions='') %}\
{%- for message in messages %}{%- if message['role'] == 'system' %}\
{%- if ns.spoke %}{% set ns.instructions = ns.instructions + '\\n\\n' + message['content'] %}\
{%- else %}{% set ns.instructions = ns.instructions + message['content'] %}{% set ns.spoke = true %}{%- endif %}\
{%- endif %}{%- endfor -%}
{{ bos_token }}{{ ns.instructions }}\
{%- for message in messages %}\
{%- if message['role'] == 'user' %}{%- set ns.inside = false -%}{{ '<｜User｜>' + message['content'] }}{%- endif %}\
{%- if message['role'] == 'assistant' and message['content'] is none %}{%- set ns.inside = false -%}\
{%- for call in message['tool_calls'] %}{%- if not ns.first %}{{ '\\n' }}{%- endif %}\
{{ '<｜call｜>' + call['type'] + '<｜sep｜>' + call['function']['name'] + '\\n```json\\n' + call['function']['arguments'] + '\\n```<｜end｜>' }}\
{%- set ns.first = false -%}{%- endfor %}{{ '<｜calls end｜>' + eos_token }}{%- endif %}\
{%- if message['role'] == 'assistant' and message['content'] is not none %}\
{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}\
{{ ('<｜out end｜>' if ns.inside else '<｜Assistant｜>') + content + eos_token }}{%- set ns.inside = false -%}{%- endif %}\
{%- if message['role'] == 'tool' %}{{ ('\\n' if ns.inside else '<｜outs｜>') + '<｜out｜>' + message['content'] + '<｜/out｜>' }}\
{%- set ns.inside = true -%}{%- endif %}{%- endfor -%}\
{% if ns.inside %}{{ '<｜out end｜>' }}{% endif %}{% if add_generation_prompt and not ns.inside %}{{ '<｜Assistant｜><think>\\n' }}{% endif %}\
"""

PAIRS = """\
{%- if messages[0]["role"] == "system" %}
    {%- set opening = messages[0]["content"] %}
    {%- set rest = messages[1:] %}
{%- else %}
    {%- set rest = messages %}
{%- endif %}
{%- if not tools is defined %}{%- set tools = none %}{%- endif %}
{%- set asked = rest | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in rest %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("Questions and answers must take turns; " ~ message.role ~ " does not.") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in rest %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == asked[-1]) %}
            {{- "[FUNCTIONS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, value in tool.items() if key != "return" %}
                    {%- if value is string %}{{- '"' + key + '": "' + value + '"' }}{%- else %}{{- '"' + key + '": ' + value|tojson }}{%- endif %}
                    {%- if not loop.last %}{{- ", " }}{%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" }}{%- endif %}
            {%- endfor %}
            {{- "[/FUNCTIONS]" }}
        {%- endif %}
        {%- if loop.last and opening is defined %}
            {{- "[INST] " + opening + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[CALLS] [" }}
        {%- for call in message.tool_calls %}
            {%- set out = call.function|tojson %}
            {{- out[:-1] }}
            {%- if not call.id is defined or call.id|length != 9 %}{{- raise_exception("An id needs 9 characters.") }}{%- endif %}
            {{- ', "id": "' + call.id + '"}' }}
            {%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" + eos_token }}{%- endif %}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- elif message["role"] == "tool_results" or message["role"] == "tool" %}
        {%- if message.content is defined and message.content.content is defined %}
            {%- set content = message.content.content %}
        {%- else %}
            {%- set content = message.content %}
        {%- endif %}
        {{- '[RESULTS] {"content": ' + content|string + ", " }}
        {{- '"call_id": "' + message.tool_call_id + '"}[/RESULTS]' }}
    {%- else %}
        {{- raise_exception("Nobody is called " + message.role|string + " here.") }}
    {%- endif %}
{%- endfor %}
"""

HEADERS = """\
{{- bos_token }}
{%- if custom_tools is defined %}{%- set tools = custom_tools %}{%- endif %}
{%- if not tools_in_user_message is defined %}{%- set tools_in_user_message = true %}{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}{%- set date_string = strftime_now("%d %b %Y") %}{%- else %}{%- set date_string = "26 Jul 2024" %}{%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set opening = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set opening = "" %}
{%- endif %}

{#- The first header is always there #}
{{- "<|head|>system<|/head|>\\n\\n" }}
{%- if builtin_tools is defined or tools is not none %}{{- "Environment: ipython\\n" }}{%- endif %}
{%- if builtin_tools is defined %}
    {{- "Tools: " + builtin_tools | reject('equalto', 'code_interpreter') | join(", ") + "\\n\\n"}}
{%- endif %}
{{- "Today: " + date_string + "\\n\\n" }}
{%- if tools is not none and not tools_in_user_message %}
    {%- for t in tools %}{{- t | tojson(indent=4) }}{{- "\\n\\n" }}{%- endfor %}
{%- endif %}
{{- opening }}
{{- "<|eot|>" }}
{%- if tools_in_user_message and not tools is none %}
    {%- if messages | length != 0 %}
        {%- set first_question = messages[0]['content']|trim %}
        {%- set messages = messages[1:] %}
    {%- else %}
        {{- raise_exception("There is no first question to put the tools into!") }}
    {%- endif %}
    {{- '<|head|>user<|/head|>\\n\\n' -}}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
    {{- first_question + "<|eot|>"}}
{%- endif %}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|head|>' + message['role'] + '<|/head|>\\n\\n'+ message['content'] | trim + '<|eot|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}{{- raise_exception("Only one call at once!") }}{%- endif %}
        {%- set call = message.tool_calls[0].function %}
        {%- if builtin_tools is defined and call.name in builtin_tools %}
            {{- "<|tag|>" + call.name + ".call(" }}
            {%- for name, value in call.arguments | items %}
                {{- name + '="' + value + '"' }}{%- if not loop.last %}{{- ", " }}{%- endif %}
            {%- endfor %}
            {{- ")" }}
        {%- else %}
            {{- '<|head|>assistant<|/head|>\\n\\n' -}}
            {{- '{"name": "' + call.name + '", ' }}{{- '"parameters": ' }}{{- call.arguments | tojson }}{{- "}" }}
        {%- endif %}
        {{- "<|eot|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|head|>ipython<|/head|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable %}{{- message.content | tojson }}{%- else %}{{- message.content }}{%- endif %}
        {{- "<|eot|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|head|>assistant<|/head|>\\n\\n' }}{%- endif %}
"""

CHANNELS = """\
{#- Types of parameters -#}
{%- macro kind(spec, needed, may_be_null=false) -%}
    {%- if spec.type == "array" -%}
        {%- if spec['items'] -%}
            {%- if spec['items']['type'] == "string" -%}{{- "string[]" }}
            {%- elif spec['items']['type'] in ("number", "integer") -%}{{- "number[]" }}
            {%- else -%}
                {%- set inner = kind(spec['items'], needed) -%}
                {%- if inner == "object | object" or inner|length > 50 -%}{{- "any[]" }}{%- else -%}{{- inner + "[]" }}{%- endif -%}
            {%- endif -%}
        {%- else -%}{{- "any[]" }}{%- endif -%}
        {%- if spec.nullable -%}{{- " | null" }}{%- endif -%}
    {%- elif spec.type is defined and spec.type is iterable and spec.type is not string and spec.type is not mapping and spec.type[0] is defined -%}
        {%- if spec.type | length > 1 -%}{{- spec.type | join(" | ") }}{%- else -%}{{- spec.type[0] }}{%- endif -%}
    {%- elif spec.oneOf -%}
        {%- for variant in spec.oneOf -%}{{- kind(variant, needed) -}}{%- if not loop.last %}{{- " | " }}{%- endif -%}{%- endfor -%}
    {%- elif spec.type == "string" -%}
        {%- if spec.enum -%}{{- '"' + spec.enum|join('" | "') + '"' -}}{%- else -%}{{- "string" }}{%- if spec.nullable %}{{- " | null" }}{%- endif -%}{%- endif -%}
    {%- elif spec.type in ("number", "integer") -%}{{- "number" }}
    {%- elif spec.type == "object" -%}
        {%- if spec.properties -%}
            {{- "{\\n" }}
            {%- for name, inner in spec.properties.items() -%}
                {{- name -}}{%- if name not in (spec.required or []) -%}{{- "?" }}{%- endif -%}
                {{- ": " }}{{ kind(inner, spec.required or []) }}{%- if not loop.last -%}{{-", " }}{%- endif -%}
            {%- endfor -%}
            {{- "}" }}
        {%- else -%}{{- "object" }}{%- endif -%}
    {%- else -%}{{- "any" }}{%- endif -%}
{%- endmacro -%}
{%- macro listing(title, functions) -%}
    {{- "## " + title + "\\n\\nnamespace " + title + " {\\n\\n" }}
    {%- for function in functions %}
        {%- set function = function.function %}
        {{- "// " + function.description + "\\n" }}{{- "type "+ function.name + " = " }}
        {%- if function.parameters and function.parameters.properties %}
            {{- "(_: {\\n" }}
            {%- for name, spec in function.parameters.properties.items() %}
                {%- if spec.description %}{{- "// " + spec.description + "\\n" }}{%- endif %}
                {{- name }}{%- if name not in (function.parameters.required or []) %}{{- "?" }}{%- endif %}
                {{- ": " }}{{- kind(spec, function.parameters.required or []) }}
                {%- if spec.default is defined -%}
                    {%- if spec.enum %}{{- ", // default: " + spec.default }}
                    {%- elif spec.oneOf %}{{- "// default: " + spec.default }}
                    {%- else %}{{- ", // default: " + spec.default|tojson }}{%- endif -%}
                {%- endif -%}
                {%- if not loop.last %}{{- ",\\n" }}{%- else %}{{- "\\n" }}{%- endif -%}
            {%- endfor %}
            {{- "}) => any;\\n\\n" }}
        {%- else -%}{{- "() => any;\\n\\n" }}{%- endif -%}
    {%- endfor %}
    {{- "} // namespace " + title }}
{%- endmacro -%}
{%- macro opening() -%}
    {%- if model_identity is not defined %}{%- set model_identity = "You are a model." %}{%- endif %}
    {{- model_identity + "\\nToday: " + strftime_now("%Y-%m-%d") + "\\n\\n" }}
    {%- if reasoning_effort is not defined %}{%- set reasoning_effort = "medium" %}{%- endif %}
    {{- "Effort: " + reasoning_effort + "\\n\\n" }}
    {%- if builtin_tools %}{{- "# Tools\\n\\n" }}{%- set have = namespace(browser=false, python=false) %}
        {%- for tool in builtin_tools %}{%- if tool == "browser" %}{%- set have.browser = true %}{%- elif tool == "python" %}{%- set have.python = true %}{%- endif %}{%- endfor %}
        {{- have.browser ~ have.python }}
    {%- endif -%}
    {{- "# Channels: analysis, final." }}{%- if tools -%}{{- "\\nCalls go to 'commentary'." }}{%- endif -%}
{%- endmacro -%}
{{- "<|start|>system<|message|>" }}{{- opening() }}{{- "<|end|>" }}
{%- if messages[0].role == "developer" or messages[0].role == "system" %}{%- set instructions = messages[0].content %}{%- set rest = messages[1:] %}{%- else %}{%- set instructions = "" %}{%- set rest = messages %}{%- endif %}
{%- if instructions or tools %}
    {{- "<|start|>developer<|message|>" }}
    {%- if instructions %}{{- "# Instructions\\n\\n" }}{{- instructions }}{{- "\\n\\n" }}{%- endif %}
    {%- if tools -%}{{- "# Tools\\n\\n" }}{{- listing("functions", tools) }}{%- endif -%}
    {{- "<|end|>" }}
{%- endif %}
{%- set previous = namespace(name=none) %}
{%- for message in rest -%}
    {%- if message.role == 'assistant' -%}
        {%- if "content" in message and message.content and "<|channel|>analysis" in message.content %}{{- raise_exception("Thoughts stand in the answer.") }}{%- endif %}
        {%- if "tool_calls" in message %}
            {%- set later = namespace(found=false) %}
            {%- for other in rest[loop.index:] %}{%- if other.role == 'assistant' and "tool_calls" not in other %}{%- set later.found = true %}{%- endif %}{%- endfor %}
            {%- if message.content and message.thinking %}{{- raise_exception("Two kinds of thoughts.") }}
            {%- elif message.thinking and not later.found %}{{- "<|start|>assistant<|channel|>analysis<|message|>" + message.thinking + "<|end|>" }}{%- endif %}
            {%- set call = message.tool_calls[0] %}{%- if call.function %}{%- set call = call.function %}{%- endif %}
            {{- "<|start|>assistant to=functions." + call.name + "<|channel|>commentary " }}
            {{- (call.content_type if call.content_type is defined else "json") + "<|message|>" }}{{- call.arguments|tojson }}{{- "<|call|>" }}
            {%- set previous.name = call.name %}
        {%- elif loop.last and not add_generation_prompt %}
            {%- if "thinking" in message %}{{- "<|start|>assistant<|channel|>analysis<|message|>" + message.thinking + "<|end|>" }}{%- endif %}
            {{- "<|start|>assistant<|channel|>final<|message|>" + message.content + "<|return|>" }}
        {%- else %}
            {{- "<|start|>assistant<|channel|>final<|message|>" + message.content + "<|end|>" }}
            {%- set previous.name = none %}
        {%- endif %}
    {%- elif message.role == 'tool' -%}
        {%- if previous.name is none %}{{- raise_exception("An answer without a call.") }}{%- endif %}
        {{- "<|start|>functions." + previous.name }}{{- " to=assistant<|message|>" + message.content|tojson + "<|end|>" }}
    {%- elif message.role == 'user' -%}{{- "<|start|>user<|message|>" + message.content + "<|end|>" }}{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|start|>assistant{%- endif -%}
"""

PARTS = """\
[head]
{%- if tools -%}
<|system|>
# Tools
{% for tool in tools %}
{{ tool | tojson(ensure_ascii=False) }}
{% endfor %}
Call with <arg>.{%- endif -%}
{%- macro visible(content) -%}
    {%- if content is string -%}{{- content }}
    {%- elif content is iterable and content is not mapping -%}
        {%- for part in content -%}
            {%- if part is mapping and part.type == 'text' -%}{{- part.text }}{%- elif part is string -%}{{- part }}{%- endif -%}
        {%- endfor -%}
    {%- else -%}{{- content }}{%- endif -%}
{%- endmacro -%}
{%- set ns = namespace(last=-1) %}
{%- for m in messages %}{%- if m.role == 'user' %}{% set ns.last = loop.index0 -%}{%- endif %}{%- endfor %}
{% for m in messages %}
{%- if m.role == 'user' -%}<|user|>
{{ visible(m.content) }}
{{- '/nothink' if (enable_thinking is defined and not enable_thinking and not visible(m.content).endswith("/nothink")) else '' -}}
{%- elif m.role == 'assistant' -%}
<|assistant|>
{%- set thoughts = '' %}
{%- set content = visible(m.content) %}
{%- if m.reasoning_content is string %}
    {%- set thoughts = m.reasoning_content %}
{%- else %}
    {%- if '</think>' in content %}
        {%- set thoughts = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
{%- endif %}
{%- if loop.index0 > ns.last and thoughts -%}{{ '\\n<think>' + thoughts.strip() +  '</think>'}}{%- else -%}{{ '\\n<think></think>' }}{%- endif -%}
{%- if content.strip() -%}{{ '\\n' + content.strip() }}{%- endif -%}
{% if m.tool_calls %}
{% for tc in m.tool_calls %}
{%- if tc.function %}{%- set tc = tc.function %}{%- endif %}
{{ '\\n<call>' + tc.name }}
{% set _args = tc.arguments %}
{% for k, v in _args.items() %}
<key>{{ k }}</key>
<value>{{ v | tojson(ensure_ascii=False) if v is not string else v }}</value>
{% endfor %}
</call>{% endfor %}
{% endif %}
{%- elif m.role == 'tool' -%}
{%- if m.content is string -%}
{%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}{{- '<|observation|>' }}{%- endif %}
{{- '\\n<out>\\n' }}{{- m.content }}{{- '\\n</out>' }}
{%- else -%}<|observation|>{% for tr in m.content %}
<out>
{{ tr.output if tr.output is defined else tr }}
</out>{% endfor -%}{% endif -%}
{%- elif m.role == 'system' -%}
<|system|>
{{ visible(m.content) }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{{- '\\n<think></think>' if (enable_thinking is defined and not enable_thinking) else '' -}}{%- endif -%}
"""

NAMED = """\
{%- macro call_list(message) -%}
  <|section|>
  {%- for call in message['tool_calls'] -%}
    {%- set shown = call['id'] -%}
    <|call|>{{ shown }}<|args|>{% if call['function']['arguments'] is string %}{{ call['function']['arguments'] }}{% else %}{{ call['function']['arguments'] | tojson }}{% endif %}<|/call|>
  {%- endfor -%}
  <|/section|>
{%- endmacro -%}
{%- set answers = messages|selectattr('role', 'equalto', 'assistant')|rejectattr('tool_calls', 'defined')|list -%}
{%- if tools -%}<|im_system|>tools<|im_middle|>{{ tools | tojson(separators=(',', ':')) }}<|im_end|>{%- endif -%}
{%- for message in messages -%}
  {%- if loop.first and messages[0]['role'] != 'system' -%}
  <|im_system|>system<|im_middle|>You are a test.<|im_end|>
  {%- endif -%}
  {%- set role_name = message.get('name') or  message['role'] -%}
  {%- if message['role'] == 'user' -%}<|im_user|>{{ role_name }}<|im_middle|>
  {%- elif message['role'] == 'assistant' -%}<|im_assistant|>{{ role_name }}<|im_middle|>
  {%- else -%}<|im_system|>{{ role_name }}<|im_middle|>
  {%- endif -%}
  {%- if message['role'] == 'assistant' and message.get('tool_calls') -%}
    {%- if message['content'] -%}{{ message['content'] }}{%- endif -%}{{ call_list(message) }}
  {%- elif message['role'] == 'tool' -%}
    {%- set id = message.tool_call_id -%}
## Return of {{ id }}
{{ message['content'] }}
  {%- elif message['content'] is string -%}{{ message['content'] }}
  {%- elif message['content'] is not none -%}
    {%- for part in message['content'] -%}
      {%- if part['type'] == 'image' or 'image' in part -%}<|media|>{%- else -%}{{ part['text'] }}{%- endif -%}
    {%- endfor -%}
  {%- endif -%}
  <|im_end|>
{%- endfor -%}
{{ answers|length }}{%- if add_generation_prompt -%}<|im_assistant|>assistant<|im_middle|>{%- endif -%}
"""

SIMPLE = """\
{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ 'User: ' + message['content'] + '\\n\\n' }}\
{% elif message['role'] == 'assistant' %}{% generation %}{{ 'Assistant: ' + message['content'] + eos_token }}{% endgeneration %}\
{% elif message['role'] == 'system' %}{{ message['content'] + '\\n\\n' }}{% endif %}{% endfor %}\
{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}
"""

BRACKETED = """\
{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}\
{% elif true == true and not '<<SYS>>' in messages[0]['content'] %}{% set loop_messages = messages %}{% set system_message = 'Be kind.' %}\
{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}\
{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Take turns.') }}{% endif %}\
{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}\
{% else %}{% set content = message['content'] %}{% endif %}\
{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}\
{% elif message['role'] == 'system' %}{{ '<<SYS>>\\n' + content.strip() + '\\n<</SYS>>\\n\\n' }}\
{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}
"""

TEMPLATES = {
    "turns with thoughts and tools": TURNS, "flags": FLAGS, "pairs with calls": PAIRS, "headers": HEADERS,
    "channels": CHANNELS, "parts": PARTS, "named": NAMED, "simple": SIMPLE, "bracketed": BRACKETED,
}

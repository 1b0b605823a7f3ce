"""Made-up conversations as chat templates read them, with and without tools."""

TOOLS = [
    {"type": "function", "function": {
        "name": "get_weather", "description": "Tells the weather.\nOf a \"city\", & <more>.",
        "parameters": {"type": "object", "properties": {
            "city": {"type": "string", "description": "The città"},
            "days": {"type": "integer", "default": 3, "minimum": 1},
            "units": {"type": "string", "enum": ["metric", "imperial"]},
            "flags": {"type": "array", "items": {"type": "string"}},
            "place": {"type": "object", "properties": {"lat": {"type": "number"},
                                                       "lon": {"type": ["number", "null"]}},
                      "required": ["lat"]},
        }, "required": ["city"]},
        "return": {"type": "string"}}},
    {"type": "function", "function": {
        "name": "now", "description": "Tells the time.",
        "parameters": {"type": "object", "properties": {}}}},
]

QUESTION = {"role": "user", "content": "Hello <b>'world'</b> \"q\" é 😀\n\n"}
ANSWER = {"role": "assistant", "content": " Hi there!\n"}
SYSTEM = {"role": "system", "content": "Be brief.\n"}
THINKING = {"role": "assistant", "content": "<think>\nLet me see.\n</think>\n\nDone."}
REASONED = {"role": "assistant", "content": "Done.", "reasoning_content": "Let me see.",
            "thinking": "Let me see."}
AGAIN = {"role": "user", "content": "And now?"}


def call(arguments, content="", identifier="abcdefghi"):
    return {"role": "assistant", "content": content, "tool_calls": [
        {"id": identifier, "type": "function",
         "function": {"name": "get_weather", "arguments": arguments}}]}


def answer(content, identifier="abcdefghi"):
    return {"role": "tool", "name": "get_weather", "tool_call_id": identifier, "content": content}


TALKS = {
    "question": [QUESTION],
    "system": [SYSTEM, QUESTION],
    "developer": [{"role": "developer", "content": "Be brief."}, QUESTION],
    "turns": [QUESTION, ANSWER, AGAIN],
    "system and turns": [SYSTEM, QUESTION, ANSWER, AGAIN, ANSWER, AGAIN],
    "answered": [SYSTEM, QUESTION, ANSWER],
    "thinking": [QUESTION, THINKING, AGAIN],
    "reasoned": [QUESTION, REASONED, AGAIN],
    "ends reasoned": [QUESTION, REASONED],
    "call": [QUESTION, call({"city": "Zürich", "days": 2, "flags": ["a", "b"], "x": None})],
    "call as text": [QUESTION, call('{"city": "Zürich"}')],
    "answer": [SYSTEM, QUESTION, call({"city": "Zürich"}), answer("rain, 12°")],
    "answer as text": [QUESTION, call('{"city": "Zürich"}', content=None), answer('{"t": 12}')],
    "after answer": [QUESTION, call({"city": "Zürich"}), answer("rain"),
                     {"role": "assistant", "content": "It rains."}, AGAIN],
    "two calls": [QUESTION, {"role": "assistant", "content": "I look.", "tool_calls": [
        {"id": "abcdefghi", "type": "function",
         "function": {"name": "get_weather", "arguments": {"city": "A"}}},
        {"id": "123456789", "type": "function",
         "function": {"name": "now", "arguments": {}}}]},
        answer("rain"), {"role": "tool", "name": "now", "tool_call_id": "123456789",
                         "content": "noon"}],
    "thought call": [QUESTION, {**call({"city": "A"}), "thinking": "I need it.",
                                "reasoning_content": "I need it."}, answer("rain")],
    "bare call": [QUESTION, {"role": "assistant", "tool_calls": [
        {"type": "function", "function": {"name": "now", "arguments": {}}}]}],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "Hello"},
                                           {"type": "text", "text": " you"}]}],
    "roles in disorder": [ANSWER, QUESTION, QUESTION],
    "empty": [],
    "prefix": [QUESTION, {"role": "assistant", "content": "Sure", "prefix": True}],
    "unknown role": [{"role": "root", "content": "x"}],
    "no content": [QUESTION, {"role": "assistant", "content": None}, AGAIN],
}


def all():  # pylint: disable=redefined-builtin
    """Names and variables: each talk with and without tools, open and closed, and some switches."""
    base = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "documents": None}
    for name, messages in TALKS.items():
        for tools in (None, TOOLS):
            for opens in (True, False):
                label = f"{name}{', tools' if tools else ''}{'' if opens else ', closed'}"
                yield label, {**base, "messages": messages, "tools": tools,
                              "add_generation_prompt": opens}
        switches = [{"enable_thinking": False}, {"enable_thinking": True}, {"thinking": True},
                    {"reasoning_effort": "high"}, {"builtin_tools": ["browser", "python"]},
                    {"date_string": "26 Jul 2024", "tools_in_user_message": False},
                    {"model_identity": "You are a test."}, {"clear_thinking": False}]
        for switch in switches:
            for tools in (None, TOOLS):
                yield (f"{name}{', tools' if tools else ''}, {next(iter(switch))}",
                       {**base, "messages": messages, "tools": tools,
                        "add_generation_prompt": True, **switch})

"""A domain file for tests: one family with numbers, one with words, written here so that the real ones may change."""

ASKS = [
    "raise [each|every] [reading|gauge] by $n",
    "[gauge|reading] raised by $n",
    "how do i raise gauges by $n?",
    "how can gauges go up by $n?",
    "please raise my gauges by $n",
    "i want gauges $n higher",
    "we need readings that are $n higher",
    "function that raises gauges by $n",
    "[write|give me] a function that puts $n on every gauge",
    "script raising gauges by $n",
    "given gauges, raise [them|all] by $n",
    "which code raises gauges by $n?",
    "raising of all gauges by $n",
    "bump gauges up $n points",
    "put $n on top of every gauge",
    "add $n onto the gauges",
    "increase gauges, $n each",
    "lift readings $n up",
    "gauges plus $n",
    "readings, but $n higher",
]

DOMAIN = f"""
[raise_gauges]
ask = {ASKS!r}
slots.n = "int 2 99"
slots.next = "calc n + 1"
slots.fn = ["raise_gauges", "raise_by_$n"]
slots.arg = ["gauges", "readings"]
code = '''
def $fn($arg):
    return [value + $n for value in $arg]
'''
test = '''
assert $fn([0, 1]) == [$n, $next]
'''

[tag_note]
ask = ["tag a note with $word", "note tagged $word", "[i|we] want to tag a note $word", "how to tag notes $word"]
slots.word = "word"
code = '''
def tag(note):
    return f"{{note}} #$word"
'''
test = '''
assert tag("x") == "x #$word"
'''
"""

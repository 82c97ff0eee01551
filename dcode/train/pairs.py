"""Requests from documented functions: the docstring's first sentence asks, the function's source answers.

It knows the syntax tree of one file; what a request looks like to the model is `text/prompt`'s business.
"""

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from dcode.train.screen import parsed

MIN_LINES, MAX_LINES = 3, 40
MIN_WORDS, MAX_WORDS = 3, 25
MAX_SELF_USES = 2

_VERB_LIST = """
abort accept accumulate acquire activate adapt add adjust advance aggregate align allocate allow analyze
animate annotate append apply approximate arrange ask assemble assert assign associate attach attempt
authenticate average begin bind blend block blur broadcast build cache calculate call cancel capitalize
capture cast center change check choose chop clamp classify clean clear clip clone close cluster coerce
collapse collect color combine commit compare compile complete compress compute concatenate configure
confirm connect construct consume convert convolve copy correct count cover create crop cut cycle
deactivate decide declare decode decompose decompress decorate decrease decrypt dedent deduce deepcopy
define delete deliver derive describe deserialize detach detect determine diff differentiate disable
discard disconnect discover dispatch display dissect distribute divide do download downsample draw drop
dump duplicate edit eliminate emit emulate enable enclose encode encrypt ensure enter enumerate erase
escape establish estimate evaluate examine exchange exclude execute exit expand explain export expose
express extend extract factor factorize fail fetch fill filter finalize find finish fire fit fix flatten
flip flush fold follow force forget fork format forward freeze generate get give go grab group grow guess
halt handle hash hide highlight identify ignore implement import include increase increment indent index
indicate infer inform initialise initialize inject insert inspect install instantiate integrate interleave
interpolate interpret intersect intersperse introspect invalidate invert invoke issue iterate join keep
kill label launch leave let limit linearize link list listen load locate lock log look lookup lower make
manage map mark mask match measure merge minimize mirror modify monitor move multiply name narrow negate
normalise normalize notify obtain offset omit open optimize order override overwrite pack pad parse
partition pass paste patch peek perform permute pick pipe place plot poll pop populate position post
predict prefix prepare prepend preprocess present preserve prevent print process produce project prompt
propagate protect prove provide prune pull purge push put query queue quote raise randomize rank re-encode
reach read rebuild recalculate receive recognize recompute reconstruct record recover recurse redirect
reduce refine refresh register reject relabel release reload remap remove rename render reorder repeat
replace report represent request require resample rescale reserve reset reshape resize resolve restart
restore restrict resume retrieve retry return reverse revert rewrite rollback rotate round route run
sample sanitize save scale scan schedule score scrape search seek segment select send separate serialize
serve set setup shift shorten show shrink shuffle shut shutdown sign signal simplify simulate skip sleep
slice smooth solve sort specify split spread squeeze stack standardize start stop store stream strip style
submit subscribe substitute subtract suggest sum summarise summarize suppress surround suspend swap switch
symmetrize sync synchronize tag take tell terminate test threshold throw time toggle tokenize trace track
train transfer transform translate transpose traverse trigger trim truncate try turn unescape unfold
uninstall unlink unlock unpack unquote unregister unstack unwrap unzip update upgrade upload use validate
verify view visit vote wait walk warn wrap write yield zip zoom
"""
_VERBS = frozenset(_VERB_LIST.split())
_SIMPLE_DECORATORS = frozenset(
    {
        "staticmethod",
        "classmethod",
        "property",
        "cache",
        "lru_cache",
        "functools.cache",
        "functools.lru_cache",
        "contextmanager",
        "contextlib.contextmanager",
        "cached_property",
        "functools.cached_property",
    }
)
_ROLE = re.compile(r":(?:[a-z]+:)?[a-z]+:`~?([^`<]+?)(?:\s*<[^`>]*>)?`_{0,2}")
_QUOTED = re.compile(r"(`{1,2}|\*{1,2})(?=\S)(.+?)(?<=\S)\1_{0,2}")
_SENTENCE_END = re.compile(r"(?<!e\.g)(?<!i\.e)(?<!etc)(?<!vs)[.!](?=\s|$)|:(?=\s*$)")
_PREAMBLE = re.compile(
    r"^(?:(?:this|a|an|the)\s+)?(?:\w+\s+)?(?:function|method|helper|utility|routine|shortcut|wrapper)\s+"
    r"(?:function\s+|method\s+)?(?:(?:that|which|to|will)\s+)?|^(?:simply|just|safely)\s+",
    re.IGNORECASE,
)
_TOOL = re.compile(
    r"(an? )?(decorator|context manager|iterator|generator) (that|which|to|for|over|of)\b", re.IGNORECASE
)
_UNFIT = re.compile(
    r"deprecated|:param|:return|>>>|https?:|todo|fixme|xxx|see also|alias|internal|private|not implemented"
    r"|this class|backward|override|subclass|noqa|docstring|\bself\b|\bPEP\b|\bRFC\b"
    r"|#\d|[\\{}|@^$~<>]|->|::|\.\.|=\s|(e\.g|i\.e|etc)\.?$",
    re.IGNORECASE,
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Pair:
    """A request in English and the function that meets it: its source, dedented, without its docstring."""

    request: str
    code: str


def pairs(text: str, tree: ast.Module) -> Iterator[Pair]:
    """Every documented function and self-contained method of a file (LF newlines); `tree` is its tree."""
    lines = text.split("\n")
    for function in _functions(tree):
        request = request_of(ast.get_docstring(function) or "")
        code = _code_of(function, lines) if request else ""
        if code:
            yield Pair(request, code)


def request_of(docstring: str) -> str:
    """The first sentence as a request ("Returns the area." → "return the area"), or "" if it is none."""
    paragraph = " ".join(takewhile(str.strip, docstring.strip().splitlines()))
    plain = " ".join(_QUOTED.sub(r"\2", _ROLE.sub(r"\1", paragraph)).split())
    sentence = _SENTENCE_END.split(plain, maxsplit=1)[0].strip()
    if not sentence.isascii() or sentence.count("(") != sentence.count(")") or "`" in sentence:
        return ""
    request = "" if _UNFIT.search(sentence) else _asked(_PREAMBLE.sub("", sentence))
    return request if MIN_WORDS <= len(request.split()) <= MAX_WORDS else ""


def _asked(sentence: str) -> str:
    """The sentence as an imperative or as the name of a tool to write, or "" if it only describes."""
    first, *words = sentence.rstrip(" ,;:").split() or [""]
    verb = _imperative(first)
    if verb:
        return f"{verb} {_later_verbs(words)}"
    if first.lower() == "whether":
        return f"check whether {' '.join(words)}"
    if _TOOL.match(sentence):
        return " ".join([first.lower(), *words])
    if first.endswith("ly") and words and _imperative(words[0]):
        return f"{first.lower()} {_imperative(words[0])} {_later_verbs(words[1:])}"
    return ""


def _imperative(word: str) -> str:
    """The verb of "Returns", "return" or "RETURN" if it is one we know, else ""."""
    word = word.lower().rstrip(",")
    if word in _VERBS:
        return word
    endings = (("ies", "y"), ("es", ""), ("s", ""))
    bases = [word.removesuffix(end) + tail for end, tail in endings if word.endswith(end)]
    return next((base for base in bases if base in _VERBS), "")


def _later_verbs(words: list[str]) -> str:
    """Turn the verbs after the first: "and returns it" → "and return it"."""
    joined = [
        _imperative(word) or word if before in {"and", "then"} and word.endswith("s") else word
        for before, word in zip(["", *words], words, strict=False)
    ]
    return " ".join(joined)


def _functions(node: ast.AST) -> Iterator[Function]:
    """Functions of a module and of its classes; not those within functions, which lean on their scope."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield child
        elif isinstance(child, ast.ClassDef | ast.If | ast.Try):
            yield from _functions(child)


def _code_of(function: Function, lines: list[str]) -> str:
    """The function's lines without docstring and with simple decorators only, or "" if it is unfit."""
    docstring, *body = function.body
    if not _is_substantial(body) or _self_uses(body) > MAX_SELF_USES:
        return ""
    if body[0].lineno <= (docstring.end_lineno or 0) or docstring.lineno <= function.lineno:
        return ""
    head = lines[function.lineno - 1 : docstring.lineno - 1]
    tail = lines[docstring.end_lineno or 0 : function.end_lineno]
    while tail and not tail[0].strip():
        tail.pop(0)
    code = "\n".join([*_decorators(function), textwrap.dedent("\n".join([*head, *tail]))]).rstrip()
    height = sum(1 for line in code.split("\n") if line.strip())
    return code + "\n" if MIN_LINES <= height <= MAX_LINES and parsed(code) else ""


def _is_substantial(body: list[ast.stmt]) -> bool:
    """Whether anything is done: more than `pass`, `...` or raising."""
    return any(not isinstance(each, ast.Pass | ast.Raise | ast.Expr) or _calls(each) for each in body)


def _calls(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant)


def _self_uses(body: list[ast.stmt]) -> int:
    nodes = (node for statement in body for node in ast.walk(statement))
    return sum(isinstance(node, ast.Name) and node.id in {"self", "cls"} for node in nodes)


def _decorators(function: Function) -> list[str]:
    spelled = (ast.unparse(each) for each in function.decorator_list)
    return [f"@{each}" for each in spelled if each.partition("(")[0] in _SIMPLE_DECORATORS]

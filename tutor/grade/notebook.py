"""Finds the answers in a notebook and runs as little of it as each of them needs.

An answer is found by the exercise's id (the last `check("1.2", …)`, or the cell that carries the
id), else by the name that the lesson gave it. Then only those statements run that bind or change
a name that it needs, in the order of the notebook, in a fresh namespace: no training, no plots,
and a cell that fails elsewhere does no harm.
"""

import ast
import dis
import linecache
import re
from dataclasses import dataclass
from types import CodeType

from tutor.exercises.guard import interpreted
from tutor.exercises.verdict import Broken

# Calls on a module, as in `np.random.seed(0)`, that change what other statements compute.
SETTINGS = {"seed", "update", "seterr", "manual_seed", "set_default_dtype"}
KEPT_MAGIC = re.compile(r"%%(time|timeit|capture)\b.*\n?")
MAGIC = re.compile(r"^(\s*)(?:[\w, ]+=\s*)?[%!?].*$|^(\s*)[\w.]+\?+\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Statement:
    """A statement at the top of a cell: its code, the names it binds or changes, those it needs."""

    cell: int
    tree: ast.stmt
    code: CodeType
    binds: frozenset[str]
    uses: frozenset[str]


@dataclass(frozen=True)
class Candidate:
    """A place where the answer may be: an expression to evaluate after `position` statements."""

    position: int
    expression: str
    trouble: Broken | None = None


class Program:
    """The code cells of a notebook: pairs of source and the exercise id that the cell carries."""

    def __init__(self, cells: list[tuple[str, str]]):
        self.cells, self.statements, self.troubles = cells, [], {}
        modules: set[str] = set()
        for number, (source, _) in enumerate(cells):
            try:
                self.statements += _statements(number, source, modules)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                self.troubles[number] = _unreadable(error, source)

    def candidates(self, exercise: str, name: str) -> list[Candidate]:
        """Where the answer may be, the likeliest first."""
        by_id, by_name = [], []
        for n, statement in enumerate(self.statements, 1):
            by_id += [Candidate(n, e) for e in _checked(statement.tree, exercise) if self._has(e)]
            last = n == len(self.statements) or self.statements[n].cell != statement.cell
            if last and self.cells[statement.cell][1] == exercise:
                own = [s for s in self.statements if s.cell == statement.cell]
                named = [name] if any(name in s.binds for s in own) else _last_bound(own)
                by_id += [Candidate(n, e) for e in named]
            if name in statement.binds:
                by_name.append(Candidate(n, name))
        defines = re.compile(rf"^\s*(def|class)\s+{name}\b|^{name}\s*[:=]", re.MULTILINE)
        broken = [
            Candidate(0, name, trouble)
            for cell, trouble in self.troubles.items()
            if self.cells[cell][1] == exercise or defines.search(self.cells[cell][0])
        ]
        return list(dict.fromkeys([*by_id[::-1], *by_name[::-1], *broken]))

    def take(self, candidate: Candidate) -> object:
        """The answer itself.

        Raises:
            Broken: its cell cannot be read, or stops before the answer is there.
        """
        if candidate.trouble:
            raise candidate.trouble
        names, failures = {"__name__": "__main__", "__builtins__": __builtins__}, {}
        names["display"] = lambda *_, **__: None  # as a notebook has it
        expression = compile(candidate.expression, "<check>", "eval", dont_inherit=True)
        for statement in self._needed(candidate.position, _names(expression)[1]):
            try:
                exec(statement.code, names)
            except BaseException as error:
                failures[statement] = error
        for statement, error in list(failures.items()):  # cells that were run in another order
            if isinstance(error, NameError):
                try:
                    exec(statement.code, names)
                    del failures[statement]
                except BaseException as again:
                    failures[statement] = again
        try:
            return eval(expression, names)
        except NameError:
            for error in failures.values():
                raise interpreted(error, self.take) from None
            raise

    def _has(self, expression: str) -> bool:
        """Whether the names in `expression` are bound anywhere."""
        bound = frozenset().union(*(s.binds for s in self.statements), dir(__builtins__))
        bound |= set(__builtins__ if isinstance(__builtins__, dict) else ())
        return _names(compile(expression, "<check>", "eval", dont_inherit=True))[1] <= bound

    def _needed(self, position: int, names: set[str]) -> list[Statement]:
        """In order, the statements up to `position` that `names` rest on; if none, those after."""
        chosen, open_names, seen = set(), set(names), set()
        while open_names:
            name = open_names.pop()
            seen.add(name)
            binders = [
                n for n, s in enumerate(self.statements) if name in s.binds or "*" in s.binds
            ]
            for n in [n for n in binders if n < position] or binders:
                chosen.add(n)
                open_names |= self.statements[n].uses - seen
        return [self.statements[n] for n in sorted(chosen)]


def _statements(number: int, source: str, modules: set[str]) -> list[Statement]:
    file = f"<cell {number + 1}>"
    try:
        tree = ast.parse(source)
    except SyntaxError:
        source = _without_magic(source)
        tree = ast.parse(source)
    lines = source.splitlines(keepends=True)
    linecache.cache[file] = (len(source), None, lines, file)
    found = []
    for node in tree.body:
        code = compile(ast.Module([node], []), file, "exec", dont_inherit=True)
        binds, uses = _names(code)
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules |= binds
            binds = binds or {"*"}
        found.append(Statement(number, node, code, frozenset(binds | _changed(node, modules)),
                               frozenset(uses)))  # fmt: skip
    return found


def _without_magic(source: str) -> str:
    source = KEPT_MAGIC.sub("", source, count=1) if KEPT_MAGIC.match(source) else source
    if source.startswith("%%"):
        return ""
    return MAGIC.sub(lambda found: f"{found[1] or found[2] or ''}pass", source)


def _names(code: CodeType, top: bool = True) -> tuple[set[str], set[str]]:
    """The global names that code binds, and those that it reads, also in its functions."""
    binds, uses = set(), set()
    for step in dis.get_instructions(code):
        if step.opname == "STORE_GLOBAL" or (top and step.opname == "STORE_NAME"):
            binds.add(step.argval)
        elif step.opname in ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"):
            uses.add(step.argval)
    for inner in (const for const in code.co_consts if isinstance(const, CodeType)):
        below = _names(inner, top=False)
        binds, uses = binds | below[0], uses | below[1]
    return binds, uses


def _changed(node: ast.stmt, modules: set[str]) -> set[str]:
    """Names whose objects a statement changes: by `x[…] = …`, `x.a = …` or `x.method(…)`."""
    parts = [n for n in ast.walk(node) if isinstance(n, ast.Attribute | ast.Subscript)]
    changed = {_root(n) for n in parts if not isinstance(n.ctx, ast.Load)}
    call = node.value if isinstance(node, ast.Expr) else None
    method = call.func if isinstance(call, ast.Call) else None
    if isinstance(method, ast.Attribute):
        on_module = _root(method) in modules and method.attr not in SETTINGS
        changed.add("" if on_module else _root(method))
    return changed - {""}


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _checked(node: ast.stmt, exercise: str) -> list[str]:
    """What is handed to `check(exercise, …)` in a statement."""
    found = []
    for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        match [*call.args, *(k.value for k in call.keywords)]:
            case [ast.Constant(str(key)), answer] if name == "check" and key.strip() == exercise:
                found.append(ast.unparse(answer))
    return found


def _last_bound(statements: list[Statement]) -> list[str]:
    trees = [s for s in statements if not isinstance(s.tree, ast.Import | ast.ImportFrom)]
    return [sorted(s.binds)[0] for s in trees if s.binds][-1:]


def _unreadable(error: Exception, source: str) -> Broken:
    line = getattr(error, "lineno", None) or 0
    lines = source.splitlines()
    where = f"{lines[line - 1].strip()[:200]}    # line {line}" if 0 < line <= len(lines) else ""
    said = str(getattr(error, "msg", error))[:200]
    return Broken("the cell is Python", f"{type(error).__name__}: {said}", where=where)

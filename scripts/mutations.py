"""Small changes of a module's code, each of which should make a test fail."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Site = tuple[ast.AST, Callable[[], None]]
    """A node that is changed, and what changes it."""

_OTHERS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
}
"""What an operator is changed to."""

_NOT_CODE = {"annotation", "returns", "decorator_list", "type_params"}
_LONGEST = 110


@dataclass(frozen=True)
class Mutant:
    """A module with one change.

    Attributes:
        module: Its path below taps/tap_core.
        place: Where the change is: a function, `Class.method`, or the module.
        before: The code that is changed.
        after: What it is changed to.
        source: The whole module, changed.
    """

    module: str
    place: str
    before: str
    after: str
    source: str

    @property
    def name(self) -> str:
        """What tells it apart, whatever the line: for the page."""
        return f"`{self.module}`, {self.place}: `{self.before}` becomes `{self.after}`"


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """All mutants of a module's source, in the order of the code."""
    for number in range(sum(1 for _ in _sites(ast.parse(source), ""))):
        tree = ast.parse(source)
        place, shown, change = next(site for at, site in enumerate(_sites(tree, "")) if at == number)
        before = _text(shown)
        change()
        yield Mutant(module, place or "the module", before, _text(shown), ast.unparse(tree))


def _text(node: ast.AST) -> str:
    """A node's code on one line; of a statement with others inside of it, the first line."""
    text = "pass" if isinstance(node, ast.Module) and not node.body else ast.unparse(node).partition("\n")[0]
    text = text.replace("`", "'").replace("|", "\\|")
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _sites(
    node: ast.AST, place: str, statement: ast.AST | None = None
) -> Iterator[tuple[str, ast.AST, Callable[[], None]]]:
    """Where something can be changed: the function, what shows the change, and what makes it."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
        place = f"{place}.{node.name}".removeprefix(".")
    statement = node if isinstance(node, ast.stmt) else statement
    for changed, change in _changes(node):
        alone = isinstance(changed, ast.Constant)  # a number tells nothing without what it stands in
        yield place, (statement or changed) if alone else changed, change
    for name, value in ast.iter_fields(node):
        if name in _NOT_CODE:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _sites(child, place, statement)


def _changes(node: ast.AST) -> Iterator[Site]:
    """The changes of one node itself."""
    match node:
        case ast.Compare(ops=[op]) | ast.BoolOp(op=op) | ast.BinOp(op=op) | ast.AugAssign(op=op):
            if other := _OTHERS.get(type(op)):
                yield node, lambda: _set_operator(node, other())
        case ast.UnaryOp(op=ast.Not()):
            yield node, lambda: setattr(node, "operand", _negated(node.operand))
        case ast.Constant(value=int() as number):
            yield node, lambda: setattr(node, "value", not number if isinstance(number, bool) else number + 1)
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield node, lambda: setattr(node, "value", ast.Constant(None))
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) if _is_plain(test):
            yield node, lambda: setattr(node, "test", _negated(test))
    yield from _left_out(getattr(node, "body", None))


def _left_out(body: Any) -> Iterator[Site]:
    """The statements of a block, each left out; shown in a block of its own, as its place is then empty."""
    for at, statement in enumerate(body if isinstance(body, list) else ()):
        if _can_be_left_out(statement):
            block = ast.Module([statement], [])
            yield block, lambda at=at, block=block: _leave_out(body, at, block)  # type: ignore[misc]


def _leave_out(body: list[ast.stmt], at: int, block: ast.Module) -> None:
    body[at], block.body = ast.Pass(), []


def _can_be_left_out(statement: ast.stmt) -> bool:
    """Whether code still runs without it: calls, changes of attributes, raises; not what is only told."""
    if isinstance(statement, ast.Expr):
        call = statement.value
        return isinstance(call, ast.Call) and "logger" not in ast.unparse(call.func)
    if isinstance(statement, ast.Assign):
        return isinstance(statement.targets[0], (ast.Attribute, ast.Subscript))
    return isinstance(statement, (ast.AugAssign, ast.Raise, ast.Delete))


def _is_plain(test: ast.expr) -> bool:
    """Whether a condition is changed in no other way."""
    return not isinstance(test, (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Constant))


def _negated(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), test)


def _set_operator(node: Any, operator: ast.AST) -> None:
    if isinstance(node, ast.Compare):
        node.ops = [operator]  # type: ignore[list-item]
    else:
        node.op = operator

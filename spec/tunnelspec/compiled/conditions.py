"""Conditions as branches: the parts of an ``and`` are decided one after the other, and none that is decided already."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tunnelspec.compiled.terms import Atom, Block, Fork, Known, Refused, Scope, Term
from tunnelspec.compiled.values import Values

Then = Callable[[Block], None]
COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], bool], bool, bool]] = {
    # how it is written, what it does, whether its sides change places, whether it is the opposite
    ast.Lt: ("<", operator.lt, False, False),
    ast.Gt: ("<", operator.lt, True, False),
    ast.GtE: ("<", operator.lt, False, True),
    ast.LtE: ("<", operator.lt, True, True),
    ast.Eq: ("==", operator.eq, False, False),
    ast.NotEq: ("==", operator.eq, False, True),
    ast.Is: ("is", operator.is_, False, False),
    ast.IsNot: ("is", operator.is_, False, True),
    ast.In: ("in", lambda a, b: a in b, False, False),
    ast.NotIn: ("in", lambda a, b: a in b, False, True),
}
"""Comparisons are brought to four, so that a condition and its opposite are recognised: numbers here are whole, and ordered."""

MAX_FORKS = 32
"""On one way; beyond it a condition is taken for one that cannot be decided."""


class Conditions(Values):
    """Writes branches into blocks."""

    def decide(self, node: ast.expr, scope: Scope, block: Block, yes: Then, no: Then) -> None:
        """Write what follows where a condition holds, and what follows where it does not."""
        match node:
            case ast.BoolOp(ast.And(), [first, *rest]):
                others = rest[0] if len(rest) == 1 else ast.BoolOp(ast.And(), rest)
                self.decide(first, scope, block, lambda b: self.decide(others, scope, b, yes, no), no)
                return
            case ast.BoolOp(ast.Or(), [first, *rest]):
                others = rest[0] if len(rest) == 1 else ast.BoolOp(ast.Or(), rest)
                self.decide(first, scope, block, yes, lambda b: self.decide(others, scope, b, yes, no))
                return
            case ast.UnaryOp(ast.Not(), operand):
                self.decide(operand, scope, block, no, yes)
                return
            case ast.Compare(left, [op, *ops], [right, *rights]) if ops:
                first, others = ast.Compare(left, [op], [right]), ast.Compare(right, ops, rights)
                self.decide(first, scope, block, lambda b: self.decide(others, scope, b, yes, no), no)
                return
        try:  # only what stands here: what follows has forks of its own
            follow = self._follow(node, scope, block)
        except Fork as fork:
            self.first(fork, block, lambda b: self.decide(node, scope, b, yes, no))
        else:
            follow(yes, no)

    def _follow(self, node: ast.expr, scope: Scope, block: Block) -> Callable[[Then, Then], None]:
        """What is to be compared, or asked, is worked out; what is returned writes the branches."""
        match node:
            case ast.Compare(left, [op], [right]):
                one, other = self.value(left, scope, block), self.value(right, scope, block)
                return lambda yes, no: self._compare(type(op), one, other, block, yes, no)
            case ast.Call(ast.Name(called), arguments, []) if called not in scope.locals:
                function = self.name(called, scope)
                if isinstance(function, Known) and self.is_read(function.value):
                    terms, _ = self.arguments(arguments, [], scope, block)
                    return lambda yes, no: self.decide_call(function.value, terms, block, yes, no)
        condition = self.value(node, scope, block)
        return lambda yes, no: self.fork(condition, block, yes, no)

    def decide_call(
        self, guard: Callable[..., Any], arguments: tuple[Term, ...], block: Block, yes: Then, no: Then
    ) -> None:
        """The same for a guard; one that cannot be read is called."""
        try:
            last, scope = self.enter(guard, arguments, block)
        except Fork as fork:
            self.first(fork, block, lambda b: self.decide_call(guard, arguments, b, yes, no))
        except Refused:
            given = ", ".join(self.text(argument, block) for argument in arguments)
            self.fork(self.local(f"{self.names.of(guard)}({given})", "holds", block), block, yes, no)
        else:
            self.decide(last, scope, block, yes, no)

    def first(self, fork: Fork, block: Block, then: Then) -> None:
        """Decide a condition, and go on in either case. Raises ``Refused`` if it was asked for before."""
        if block.around is not None:
            raise Refused("depends on an item of a loop")
        asked = ast.unparse(fork.condition), *fork.scope.locals.items()
        if asked in block.forks or len(block.forks) > MAX_FORKS:
            raise Refused("cannot be decided")
        block.forks |= {asked}
        self.decide(fork.condition, fork.scope, block, then, then)

    def decided(self, test: ast.expr, scope: Scope, block: Block) -> bool | None:
        """Whether a condition holds, if that is known here without any more code."""
        answers: list[bool] = []
        probe = replace(block.where("", True), lines=[])
        self.decide(test, scope, probe, lambda _: answers.append(True), lambda _: answers.append(False))
        return answers[0] if len(answers) == 1 and not probe.lines else None

    def _compare(self, op: type[ast.cmpop], left: Term, right: Term, block: Block, yes: Then, no: Then) -> None:
        sign, work, swap, opposite = COMPARISONS[op]
        left, right = self._settled(left, block), self._settled(right, block)
        if swap:
            left, right = right, left
        if opposite:
            yes, no = no, yes
        if isinstance(left, Known) and isinstance(right, Known):
            (yes if work(left.value, right.value) else no)(block)
        elif sign == "in" and isinstance(right, Known) and _is_of_classes(right.value):
            self._is_one_of(self.text(left, block), right.value, block, yes, no)
        else:
            one, other = self.text(left, block), self.text(right, block)
            if sign == "==" and other == "0" and one in self.lengths:
                sign, one, other, yes, no = "<", "0", one, no, yes  # a length is not negative
            if sign == "==" and isinstance(right, Known) and type(right.value) is int:
                self.fork(Atom(f"{one} == {other}"), block, lambda b: yes(_equal(b, one, right.value)), no)
            else:
                self.fork(Atom(f"{one} {sign} {other}"), block, yes, no)

    @staticmethod
    def _settled(term: Term, block: Block) -> Term:
        """A local that is known to be a certain number is that number."""
        return Known(block.equal[term.text]) if isinstance(term, Atom) and term.text in block.equal else term

    def _is_one_of(self, one: str, classes: tuple[Any, ...], block: Block, yes: Then, no: Then) -> None:
        """Whether it is one of some classes, or none: a class is equal to itself alone."""
        wanted = self.names.one_set(cls for cls in classes if cls is not None)

        def found(here: Block) -> None:
            here.facts[f"{one} is None"] = False
            yes(here)

        def ask(here: Block) -> None:
            self.fork(Atom(f"{one} in {self.names.of(wanted)}"), here, found, no)

        if None in classes:
            self.fork(Atom(f"{one} is None"), block, yes, ask)
        else:
            ask(block)

    def fork(self, condition: Term, block: Block, yes: Then, no: Then) -> None:
        """The same for a condition that is at hand."""
        if isinstance(condition, Known):
            (yes if condition.value else no)(block)
            return
        text = self.text(condition, block)
        if text in block.facts:
            (yes if block.facts[text] else no)(block)
            return
        block.line(f"if {text}:")
        yes(block.where(text, True))
        no(block.where(text, False))


def _is_of_classes(value: Any) -> bool:
    return type(value) is tuple and all(cls is None or type(cls) is type for cls in value)


def _equal(block: Block, text: str, number: int) -> Block:
    block.equal[text] = number
    return block

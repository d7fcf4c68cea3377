"""Generator expressions as loops: ``sum``, ``tuple``, ``next`` and a queue made of one are written out, item by item."""

from __future__ import annotations

import ast
import builtins
from typing import Any

from tunnelspec.compiled.conditions import Conditions, Then
from tunnelspec.compiled.terms import Atom, Block, Fork, Known, Made, Refused, Run, Scope, Term
from tunnelspec.fifo import Fifo


class Inliner(Conditions):
    """Writes whatever stands in a guard or an effect."""

    def loop(self, function: Any, arguments: list[ast.expr], scope: Scope, block: Block) -> Term:
        """What a function makes of a generator expression; one that is not known is called with it."""
        key = (function, *map(ast.unparse, arguments), *_free(arguments, scope))
        if key not in block.done:
            block.done[key] = self._loop(function, arguments, scope, block)
        return block.done[key]

    def _loop(self, function: Any, arguments: list[ast.expr], scope: Scope, block: Block) -> Term:
        generator, rest = arguments[0], arguments[1:]
        assert isinstance(generator, ast.GeneratorExp)
        try:
            match function, rest:
                case builtins.sum, []:
                    return self._sum(generator, scope, block)
                case builtins.next, [ast.expr() as default]:
                    return self._next(generator, self.value(default, scope, block), scope, block)
                case builtins.tuple, []:
                    return self._list(generator, scope, block)
                case _ if function is Fifo and not rest:
                    return self._queue(self._list(generator, scope, block), block)
        except Fork:
            raise
        except Refused:
            pass
        given = ", ".join(self.text(self._whole(argument, scope, block), block) for argument in arguments)
        return self.local(f"{self.names.of(function)}({given})", function.__name__, block)

    def _whole(self, node: ast.expr, scope: Scope, block: Block) -> Term:
        return (self.as_it_stands if isinstance(node, ast.GeneratorExp) else self.value)(node, scope, block)

    def _sum(self, generator: ast.GeneratorExp, scope: Scope, block: Block) -> Term:
        name = self.names.fresh("sum")

        def add(item: Term, here: Block) -> None:
            here.line(f"{name} += {self.text(item, here)}")

        lines = self._each(generator, scope, block, add)
        block.line(f"{name} = 0")
        block.lines += lines
        return Atom(name)

    def _list(self, generator: ast.GeneratorExp, scope: Scope, block: Block) -> Run:
        name, kinds = self.names.fresh("list"), []

        def append(item: Term, here: Block) -> None:
            kinds.append(self.hint(item))
            here.line(f"{name}.append({self.text(item, here)})")

        lines = self._each(generator, scope, block, append)
        block.line(f"{name} = []")
        block.lines += lines
        self.lists.add(name)
        return Run(name, kinds[0] if len(set(kinds)) == 1 else None)

    def _queue(self, items: Run, block: Block) -> Term:
        self.types[items.text] = list[items.item]  # type: ignore[name-defined]  # an annotation made here
        count = self.length(items, block)
        return Made(Fifo, {"_items": Atom(items.text), "_start": Known(0), "_stop": count})

    def _next(self, generator: ast.GeneratorExp, default: Term, scope: Scope, block: Block) -> Term:
        name, otherwise = self.names.fresh("found"), self.text(default, block)

        def stop(item: Term, here: Block) -> None:
            here.line(f"{name} = {self.text(item, here)}")
            here.line("break")

        lines = self._each(generator, scope, block, stop)
        block.line(f"{name} = {otherwise}")
        block.lines += lines
        return Atom(name)

    def _each(self, generator: ast.GeneratorExp, scope: Scope, block: Block, then: Any) -> list[str]:
        """The lines of a loop that does something with each item. Raises ``Refused``."""
        if len(generator.generators) > 1:
            raise Refused("a loop in a loop")
        (over,) = generator.generators
        counted, targets = self._targets(over.iter, over.target, scope)
        (items,) = self.run(self.value(counted, scope, block), block)
        if not isinstance(items, Run):
            raise Refused("a loop over what is known")
        names = [Atom(self.names.fresh(target)) for target in targets]
        self.types[names[-1].text] = items.item
        inner, inside = Scope({**scope.locals, **dict(zip(targets, names, strict=True))}, scope.globals), block.inside()

        def each(here: Block) -> None:
            then(self.value(generator.elt, inner, here), here)
            if over.ifs and not here.lines[-1].endswith("break"):
                here.line("continue")

        wanted: Then = each
        for test in reversed(over.ifs):
            wanted = _only(self, test, inner, wanted)
        wanted(inside)
        over_ = items.text if len(names) == 1 else f"enumerate({items.text})"
        head = "    " * block.depth + f"for {', '.join(name.text for name in names)} in {over_}:"
        while inside.lines[-1] == "    " * inside.depth + "continue":
            inside.lines.pop()
        return [head, *inside.lines]

    def _targets(self, over: ast.expr, target: ast.expr, scope: Scope) -> tuple[ast.expr, list[str]]:
        """What is gone through, and the names of an item's place, where that is asked for, and of the item."""
        match over, target:
            case _, ast.Name(name):
                return over, [name]
            case ast.Call(ast.Name("enumerate"), [counted], []), ast.Tuple([ast.Name(place), ast.Name(name)]):
                if self.name("enumerate", scope) == Known(enumerate):
                    return counted, [place, name]
        raise Refused("a loop of another kind")


def _only(inliner: Inliner, test: ast.expr, scope: Scope, then: Then) -> Then:
    return lambda here: inliner.decide(test, scope, here, then, lambda b: b.line("continue"))


def _free(nodes: list[ast.expr], scope: Scope) -> list[tuple[str, Term]]:
    """What the names in expressions mean where they stand."""
    names = {n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name)}
    return [(name, scope.locals[name]) for name in sorted(names & set(scope.locals))]

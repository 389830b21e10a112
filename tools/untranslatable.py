"""Finds sentences for people that no catalogue can translate, by reading the code.

A refusal (any subclass of FaenaError) and a payment's Failure are shown to people. Their message
has to be a plain text inside `_(…)`, with its values beside it: an f-string is another text every
time, and a bare text is never extracted. The protocol library knows no Django, so its sentences
for people are bare texts, but plain ones.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

SPOKEN = frozenset({"backend.errors.FaenaError", "backend.payments.errors.Failure"})
PLAIN = "InvalidWalletAddress"
MARKERS = frozenset({"_", "gettext_lazy", "gettext_noop", "pgettext_lazy", "ngettext_lazy"})


def untranslatable(source: Path) -> list[str]:
    """Where below `source` something is said that cannot be translated, each as a line to read."""
    modules = {path: Module(path, source.parent) for path in sorted(source.rglob("*.py"))}
    spoken = _with_subclasses(modules.values())
    return [
        f'{path.relative_to(source.parent)}:{text.lineno}: write _("… {{name}} …"), name=value: '
        f"{ast.unparse(text)}"
        for path, module in modules.items()
        for text in module.untranslatable(spoken)
    ]


class Module:
    """One file's code, and what its names stand for."""

    def __init__(self, path: Path, root: Path) -> None:
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        self._names: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for each in node.names:
                    self._names[each.asname or each.name] = f"{node.module}.{each.name}"
            elif isinstance(node, ast.ClassDef):
                self._names[node.name] = f"{self.name}.{node.name}"

    def classes(self) -> Iterator[ast.ClassDef]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))

    def full_name(self, node: ast.expr) -> str:
        """What a name or an attribute stands for, with its module; empty for anything else."""
        match node:
            case ast.Name(id=name):
                return self._names.get(name, name)
            case ast.Attribute(value=value, attr=name):
                return f"{self.full_name(value)}.{name}"
            case ast.Subscript(value=value):
                return self.full_name(value)
        return ""

    def untranslatable(self, spoken: frozenset[str]) -> Iterator[ast.expr]:
        """The texts given to the classes `spoken`, here, that are not fit for a catalogue."""
        calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        for call in calls:
            name = self.full_name(call.func)
            if name in spoken:
                yield from (text for text in _texts(call) if not _is_translatable(text))
            elif name.endswith(PLAIN):
                yield from (text for text in call.args if not isinstance(text, ast.Constant))
        for kind in self.classes():
            if self.full_name(ast.Name(kind.name)) in spoken:
                for node in ast.walk(kind):
                    if isinstance(node, ast.Call) and self.full_name(node.func).endswith(
                        "__init__"
                    ):
                        yield from (text for text in _texts(node) if not _is_translatable(text))


def _with_subclasses(modules: Iterable[Module]) -> frozenset[str]:
    above = {
        module.full_name(ast.Name(kind.name)): {module.full_name(base) for base in kind.bases}
        for module in modules
        for kind in module.classes()
    }
    found = set(SPOKEN)
    while more := {name for name, bases in above.items() if bases & found} - found:
        found |= more
    return frozenset(found)


def _texts(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args
    yield from (each.value for each in call.keywords if each.arg in {"message", "subject"})


def _is_translatable(text: ast.expr) -> bool:
    match text:
        case ast.Constant(value=str()) | ast.JoinedStr() | ast.BinOp():
            return False
        case ast.IfExp(body=body, orelse=orelse):
            return _is_translatable(body) and _is_translatable(orelse)
        case ast.Call(func=ast.Attribute(attr="format")):
            return False
        case ast.Call(func=ast.Name(id=name), args=args) if name in MARKERS:
            # A text made elsewhere is a constant there, or a sentence of another catalogue.
            return not any(isinstance(each, ast.JoinedStr | ast.BinOp) for each in args)
    # A name, or a call of something else: it was written somewhere that this check sees too.
    return True

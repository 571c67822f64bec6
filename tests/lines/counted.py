"""Lines that ran, counted by statements that set a byte each, in every process that the tests start.

A tracer is called at each line of every library, too, which doubles what the tests compute; Python 3.11 knows no other way from
outside. So the modules of the rooms are compiled once, with a mark before each statement, and all processes set the bytes of one
mapped file, also those that are killed. What is a statement, and the report, are coverage.py's (`report.py`).
"""

import ast
import builtins
import importlib.machinery
import json
import marshal
import mmap
from itertools import accumulate
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("core", "device/thermo_device", "host", "hw_sim", "models", "quantize")
MARKS = "__lines__"
"""The mapped file, among the builtins: a module has no statement before its first mark that could fetch it."""


def sources() -> list[Path]:
    """Modules whose lines are counted."""
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def prepare(folder: Path, found: list[Path]) -> None:
    """Compile the modules, and begin a count of none.

    Args:
        folder: what `begin` reads and writes; made anew.
        found: the modules.
    """
    folder.mkdir(parents=True)
    texts = [path.read_text() for path in found]
    # Line numbers begin at 1, and the last line may lack its end.
    ends = list(accumulate((text.count("\n") + 2 for text in texts), initial=0))
    for number, (path, text) in enumerate(zip(found, texts, strict=True)):
        (folder / f"{number}.code").write_bytes(marshal.dumps(marked(text, path, ends[number])))
    (folder / "index.json").write_text(json.dumps(dict(zip(map(str, found), ends[:-1], strict=True))))
    (folder / "marks").write_bytes(bytes(ends[-1]))


def begin(folder: Path) -> None:
    """Count the lines of modules that this process imports from now on."""
    first = json.loads((folder / "index.json").read_text())
    numbers = {path: number for number, path in enumerate(first)}
    with (folder / "marks").open("r+b") as file:
        marks = mmap.mmap(file.fileno(), 0)
    setattr(builtins, MARKS, marks)
    compiled = importlib.machinery.SourceFileLoader.get_code

    def get_code(loader: importlib.machinery.SourceFileLoader, name: str) -> CodeType | None:
        number = numbers.get(loader.path)
        if number is None:
            return compiled(loader, name)
        code: CodeType = marshal.loads((folder / f"{number}.code").read_bytes())
        return code

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[assignment, method-assign]


def ran(folder: Path) -> dict[str, list[int]]:
    """Line numbers that were reached, by path; none for a module that no process imported."""
    first = json.loads((folder / "index.json").read_text())
    marks = (folder / "marks").read_bytes()
    ends = [*list(first.values())[1:], len(marks)]
    return {
        path: [line for line, mark in enumerate(marks[start:end]) if mark]
        for (path, start), end in zip(first.items(), ends, strict=True)
    }


def marked(text: str, path: Path, first: int) -> CodeType:
    """The module's code, whose line n sets byte `first` + n of the marks when it is reached."""
    tree = _Marks(first).visit(ast.parse(text, str(path)))
    code: CodeType = compile(ast.fix_missing_locations(tree), str(path), "exec", dont_inherit=True)
    return code


class _Marks(ast.NodeTransformer):
    def __init__(self, first: int) -> None:
        self.first = first

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(node, name, None)
            if isinstance(statements, list):
                setattr(node, name, self._with_marks(node, statements))
        return node

    def _with_marks(self, node: ast.AST, statements: list[ast.stmt]) -> list[ast.stmt]:
        kept = _head(node, statements)
        entered = _entry(node) | {statement.lineno for statement in statements[:kept]}
        result = statements[:kept]
        for statement in statements[kept:]:
            lines = {statement.lineno, *entered, *(line.lineno for line in getattr(statement, "decorator_list", ()))}
            entered = set()
            result += [self._mark(line, statement) for line in sorted(lines)]
            result.append(statement)
        return result

    def _mark(self, line: int, statement: ast.stmt) -> ast.stmt:
        place = ast.Subscript(ast.Name(MARKS, ast.Load()), ast.Constant(self.first + line), ast.Store())
        return ast.copy_location(ast.Assign([place], ast.Constant(1)), statement)


def _head(node: ast.AST, statements: list[ast.stmt]) -> int:
    """How many statements must stay first: what documents, and imports from the future."""
    documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    kept = int(documented and bool(statements) and isinstance(statements[0], ast.Expr) and _says(statements[0].value))
    while (
        kept < len(statements)
        and isinstance(later := statements[kept], ast.ImportFrom)
        and later.module == "__future__"
    ):
        kept += 1
    return kept


def _says(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _entry(node: ast.AST) -> set[int]:
    """The line of an `except` or `case`, which was reached where its body is."""
    if isinstance(node, ast.ExceptHandler):
        return {node.lineno}
    return {node.pattern.lineno} if isinstance(node, ast.match_case) else set()

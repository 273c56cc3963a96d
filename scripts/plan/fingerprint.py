"""A hash of what a script does: its parsed code and that of the project modules it imports.

Comments, docstrings and formatting do not count, nor do the modules imported under
`if __name__ == "__main__":` (the adapter to Snakemake). A param of every rule, so that the rule
reruns when its code changes and not when a file is touched.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from scripts.plan.memory import Memory

PACKAGE = "scripts"
MEMORY = Memory(Path(__file__))  # name -> [hash of the code, modules of the project it imports]
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def fingerprint(root: Path, *scripts: str) -> str:
    """Hash of `scripts` (paths below `root`) and of all they import from the project, 16 digits."""
    reached: set[Path] = set()
    queue = [root / script for script in scripts]
    while queue:
        path = queue.pop()
        if path not in reached:
            reached.add(path)
            queue.extend(_parsed(root, path)[1])
    digest = hashlib.sha256()
    for path in sorted(reached):
        digest.update(f"{path.relative_to(root).as_posix()}:{_parsed(root, path)[0]}\n".encode())
    return digest.hexdigest()[:16]


@cache
def _parsed(root: Path, path: Path) -> tuple[str, tuple[Path, ...]]:
    """Hash of one file's code, and the project files it imports."""
    name, content = path.relative_to(root).as_posix(), path.read_bytes()
    found = MEMORY.get(name, content)
    if found is None:
        tree = ast.parse(content, filename=str(path))
        library = [node for part in tree.body if not _is_adapter(part) for node in ast.walk(part)]
        code = hashlib.sha256(canonical(tree).encode()).hexdigest()
        found = [code, _imported(name, library)]
        MEMORY.put(name, content, found)
    code, modules = found
    return code, tuple(_files(root, modules))


def _is_adapter(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def _imported(name: str, nodes: Iterable[ast.AST]) -> list[str]:
    """What the import statements of the file `name` may import from the project, dotted, sorted."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = Path(name).parts[: -node.level] if node.level else ()
            base = ".".join(filter(None, [*package, node.module]))
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return sorted(module for module in found if module.split(".")[0] == PACKAGE)


def _files(root: Path, modules: Iterable[str]) -> list[Path]:
    """The files of modules that are there, and those of their packages, sorted."""
    files: set[Path] = set()
    for parts in (module.split(".") for module in modules):
        files.add(root.joinpath(*parts).with_suffix(".py"))
        packages = (parts[:depth] for depth in range(1, len(parts) + 1))
        files |= {root.joinpath(*package, "__init__.py") for package in packages}
    return sorted(file for file in files if file.is_file())


def imports(root: Path, code: str) -> list[str]:
    """Project files that `code`, as of a notebook's cells, imports: paths below `root`, sorted."""
    found = _files(root, _imported("code.py", ast.walk(ast.parse(code))))
    return [path.relative_to(root).as_posix() for path in found]


def canonical(node: object) -> str:
    """The tree as text that does not depend on the Python version that parsed it."""
    if isinstance(node, ast.AST):
        fields = []
        for name, value in ast.iter_fields(node):
            documented = name == "body" and isinstance(node, _DOCUMENTED)
            if documented and ast.get_docstring(node, clean=False) is not None:
                value = value[1:]
            if value not in (None, []) and name not in ("ctx", "kind", "type_comment"):
                fields.append(f"{name}={canonical(value)}")
        return f"{type(node).__name__}({','.join(fields)})"
    if isinstance(node, list):
        return f"[{','.join(map(canonical, node))}]"
    return repr(node)


def literal(path: Path, name: str) -> object:
    """Value of the module-level constant `name` in a Python file, read without importing it.

    Raises:
        LookupError: the file has no such constant, or it is not a literal.
    """
    for node in ast.parse(path.read_bytes(), filename=str(path)).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            try:
                return ast.literal_eval(node.value)
            except (ValueError, TypeError):
                break
    raise LookupError(f"{path}: no literal constant {name}")

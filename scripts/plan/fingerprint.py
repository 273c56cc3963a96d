"""A hash of what a script does: its parsed code and that of the project modules it imports.

Comments, docstrings and formatting do not count, nor do the modules imported under
`if __name__ == "__main__":` (the adapter to Snakemake). A param of every rule, so that the rule
reruns when its code changes and not when a file is touched.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = "scripts"
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
    tree = ast.parse(path.read_bytes(), filename=str(path))
    library = [node for part in tree.body if not _is_adapter(part) for node in ast.walk(part)]
    imports = {p for node in library for p in _imported(root, path, node)}
    return hashlib.sha256(canonical(tree).encode()).hexdigest(), tuple(sorted(imports))


def _is_adapter(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def _imported(root: Path, path: Path, node: ast.AST) -> list[Path]:
    """Project files that one import statement of `path` reads."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        package = path.relative_to(root).parts[: -node.level] if node.level else ()
        base = ".".join(filter(None, [*package, node.module]))
        names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
    else:
        return []
    files = []
    for parts in (name.split(".") for name in names if name.split(".")[0] == PACKAGE):
        files.append(root.joinpath(*parts).with_suffix(".py"))
        packages = (parts[:depth] for depth in range(1, len(parts) + 1))
        files += [root.joinpath(*package, "__init__.py") for package in packages]
    return [file for file in files if file.is_file()]


def imports(root: Path, code: str) -> list[str]:
    """Project files that `code`, as of a notebook's cells, imports: paths below `root`, sorted."""
    nodes = ast.walk(ast.parse(code))
    found = {path for node in nodes for path in _imported(root, root / "code.py", node)}
    return sorted(path.relative_to(root).as_posix() for path in found)


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

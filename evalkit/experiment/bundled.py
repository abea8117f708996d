"""Where the bundled data sets lie: inside the wheel, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path

import evalkit
from evalkit.errors import InputError, UnknownName


def folder(name: str) -> Path:
    """Return the folder of the bundled data set `name`.

    Raises:
        UnknownName: no bundled data set is called so.
        InputError: this installation has no bundled data.
    """
    package = Path(evalkit.__file__).parent
    for root in (package / "datasets", package.parent / "datasets"):
        if (root / name / "suite.yaml").is_file():
            return root / name
        if root.is_dir():
            known = sorted(path.parent.name for path in root.glob("*/suite.yaml"))
            raise UnknownName(f"no bundled data set is called {name!r}; there is {', '.join(known)}")
    raise InputError("this installation has no bundled data sets. Reinstall evalkit-rerank")

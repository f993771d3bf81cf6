"""Generated source as files in the cache folder, named by their digest and imported from there."""

from __future__ import annotations

import importlib.util
import logging
import sys
from types import ModuleType

from sciml import files
from sciml.errors import SciMLError
from sciml.resources import cache_folder

__all__ = ["load_source"]

_log = logging.getLogger("sciml.biology.kernels")
_NAME = "sciml_generated_"


def load_source(source: str) -> ModuleType:
    """The module that a generated text makes. It is written once; what lies there is compared with its digest before it is imported."""
    digest = files.digest(source.encode())[:32]
    name = _NAME + digest
    if name in sys.modules:
        return sys.modules[name]
    folder = cache_folder() / "kernels"
    path = folder / f"{name}.py"
    try:
        same = path.read_bytes() == source.encode()
    except OSError:
        same = False
    if not same:
        folder.mkdir(mode=0o700, exist_ok=True)
        files.write_text(path, source)
        _log.debug("wrote %s", path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SciMLError(f"{path}: the generated kernel cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[name] = module
    return module

"""Files that are never seen half-written."""

import contextlib
import os
import uuid
from pathlib import Path

from ann_keras.errors import UserError


def write_whole(path, content):
    """Write text or bytes to a file in one step, in a folder that is made if it is missing.

    Raises:
        UserError: the folder cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")
    content = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise UserError(f"cannot write {path}: {error.strerror}") from error

"""Run a command as a user without privileges: `python -m tools.unprivileged COMMAND...`.

Where one is root, the command runs as nobody, or, if the interpreter lies where nobody may not read, in a namespace
of users in which one is not root. Otherwise it runs as it is.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs")
NAMESPACE = ("--unshare-user", "--uid", "1000", "--gid", "1000", "--dev-bind", "/", "/", "--cap-drop", "ALL")
USABLE = "import os, sys, bncourse; sys.exit(not os.access(sys.executable, os.X_OK))"


def prefix() -> list[str]:
    """What to put before a command."""
    if os.getuid() != 0:
        return []
    tried = subprocess.run([*NOBODY, sys.executable, "-c", USABLE], cwd=ROOT, capture_output=True, check=False)
    return list(NOBODY) if tried.returncode == 0 else [shutil.which("bwrap") or "bwrap", *NAMESPACE]


def main() -> int:
    """Run the arguments; exit code: the command's."""
    command = [*prefix(), *sys.argv[1:]]
    print("as a user without privileges:", " ".join(command), flush=True)
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

"""Both services by the program of `make run`, with a fake network and nobody who indexes: python -m …"""

from __future__ import annotations

import sys

from scripts.serve import interrupt_like_ctrl_c, module, serve

COMMANDS = {
    "extractor service": module("tests.extractor_service.transport.serve_slowly", "0"),
    "gateway": module("gateway"),
}

if __name__ == "__main__":
    interrupt_like_ctrl_c()
    sys.exit(serve("http://127.0.0.1:9", COMMANDS))  # which never answers: it is asked for the port elsewhere

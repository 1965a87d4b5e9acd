"""Serves moto's S3 on the loopback interface: `python serve.py PORT` (0: a free one). Prints the address once it listens.

moto's own `moto_server` does the same for all services at once, and pays for it: it looks through its folders at every
request, opens a connection for each and logs each. Without that, a request takes half the time.
"""

import sys

from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server


class QuietHandler(WSGIRequestHandler):
    # keep-alive: thousands of small objects go through few connections
    protocol_version = "HTTP/1.1"

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Failures reach the caller as answers; a line a request would only fill the log."""


def main() -> None:
    port = int(sys.argv[1])
    try:
        server = make_server("127.0.0.1", port, create_backend_app("s3"), threaded=True, request_handler=QuietHandler)
    except SystemExit:
        # werkzeug has said why ("Address already in use") and leaves with the status of a crash
        sys.exit(1)
    print(f"Running on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

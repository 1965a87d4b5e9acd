"""Serves moto's S3 on the loopback interface: `python serve.py PORT REGION OBJECTS` (port 0: a free one).

OBJECTS is a JSON file, {"bucket": {"key": "path of a file", ...}, ...}: what the store holds from the start. It is put in
before the server listens, without a request for each of some thousand small files. The address is printed once it listens.

moto's own `moto_server` does the same for all services at once, and pays for it: it looks through its folders at every
request, opens a connection for each and logs each. Without that, a request takes half the time.
"""

import json
import sys
from pathlib import Path

from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server


class QuietHandler(WSGIRequestHandler):
    # keep-alive: thousands of small objects go through few connections
    protocol_version = "HTTP/1.1"

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Failures reach the caller as answers; a line a request would only fill the log."""


def load(region: str, buckets: dict[str, dict[str, str]]) -> None:
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    for bucket, objects in buckets.items():
        backend.create_bucket(bucket, region)
        for key, file in objects.items():
            backend.put_object(bucket, key, Path(file).read_bytes())


def main() -> None:
    port, region, objects = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    try:
        server = make_server("127.0.0.1", port, create_backend_app("s3"), threaded=True, request_handler=QuietHandler)
    except SystemExit:
        # werkzeug has said why ("Address already in use") and leaves with the status of a crash
        sys.exit(1)
    load(region, json.loads(objects.read_text(encoding="utf-8")))
    print(f"Running on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

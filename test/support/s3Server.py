"""S3 for tests: `python s3Server.py PORT plain|kms [SEED]`. The address is printed once it listens.

Both kinds refuse keys of more than 1,024 bytes, honour `x-amz-copy-source-if-match`, which moto does not look at, and
keep a checksum of every object. `kms` is a bucket with KMS keys in a busy account, besides:

- an ETag is no MD5 and another one at every write, also of the same bytes (Amazon S3 API reference, "Object", ETag);
- one request of ten is refused with SlowDown, one of fifty with InternalError (both 503 or 500, both to be tried
again).
"""

import os
import random
import sys
import threading
from pathlib import Path
from urllib.parse import unquote

from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import FakeKey, s3_backends
from werkzeug.serving import make_server

sys.path.insert(0, str(Path(__file__).parents[2] / "local" / "storage"))
from serve import QuietHandler, keep_checksums

LONGEST_KEY = 1_024
SLOW_DOWN, INTERNAL_ERROR = 0.10, 0.02


def change_etags() -> None:
    def etag(key: FakeKey) -> str:
        if "_version_tag" not in key.__dict__:
            key.__dict__["_version_tag"] = os.urandom(16).hex()
        return f'"{key.__dict__["_version_tag"]}"'

    FakeKey.etag = property(etag)


class AsS3:
    """What stands before moto."""

    def __init__(self, app, kind: str, seed: int) -> None:
        self.app, self.is_busy = app, kind == "kms"
        self.random, self.lock = random.Random(seed), threading.Lock()
        self.requests = 0

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"].encode("latin-1")
        if path == b"/requests":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [str(self.requests).encode()]
        refused = self.refusal(environ, path)
        if refused is None:
            return self.app(environ, start_response)
        # a body that nobody reads would be taken for the next request of the connection
        length = int(environ.get("CONTENT_LENGTH") or 0)
        while length > 0:
            length -= len(environ["wsgi.input"].read(min(length, 1 << 20))) or length
        status, code, message = refused
        body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body.encode()]

    def refusal(self, environ, path: bytes):
        with self.lock:
            self.requests += 1
            drawn = self.random.random()
        if self.is_busy and drawn < SLOW_DOWN:
            return "503 Slow Down", "SlowDown", "Please reduce your request rate."
        if self.is_busy and drawn < SLOW_DOWN + INTERNAL_ERROR:
            return "500 Internal Server Error", "InternalError", "We encountered an internal error. Please try again."
        key = path.split(b"/", 2)[2] if path.count(b"/") > 1 else b""
        if len(key) > LONGEST_KEY:
            return "400 Bad Request", "KeyTooLongError", "Your key is too long"
        wanted = environ.get("HTTP_X_AMZ_COPY_SOURCE_IF_MATCH")
        if wanted is not None and not self.is_source(environ["HTTP_X_AMZ_COPY_SOURCE"], wanted):
            return "412 Precondition Failed", "PreconditionFailed", "At least one of the pre-conditions did not hold"
        return None

    def is_source(self, source: str, etag: str) -> bool:
        bucket, key = unquote(source).lstrip("/").split("/", 1)
        found = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].get_object(bucket, key)
        return found is None or found.etag.strip('"') == etag.strip('"')


def main() -> None:
    port, kind = int(sys.argv[1]), sys.argv[2]
    keep_checksums()
    if kind == "kms":
        change_etags()
    app = AsS3(create_backend_app("s3"), kind, int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=QuietHandler)
    print(f"Running on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

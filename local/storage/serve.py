"""Serves moto's S3 on the loopback interface: `python serve.py PORT REGION OBJECTS` (port 0: a free one).

OBJECTS is a JSON file, {"bucket": {"key": "path of a file", ...}, ...}: what the store holds from the start. It is put
in before the server listens, without a request for each of some thousand small files. The address is printed once it
listens.

moto's own `moto_server` does the same for all services at once, and pays for it: it looks through its folders at every
request, opens a connection for each and logs each. Without that, a request takes half the time.
"""

import base64
import json
import sys
import zlib
from pathlib import Path

from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import FakeKey, s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server


def keep_checksums() -> None:
    """Gives every object a checksum, as S3 does since December 2024: moto has one only where the client sent it.

    S3's own choice is CRC64NVME; this is the SDKs', CRC32, which Python's standard library computes at full speed.
    """

    def value(key: FakeKey) -> str:
        # a key whose content is replaced is another object to moto, so that the sum is never old
        if "_checksum" not in key.__dict__:
            key.__dict__["_checksum"] = base64.b64encode(zlib.crc32(key.value).to_bytes(4, "big")).decode()
        return str(key.__dict__["_checksum"])

    def stored(name: str, default: object) -> property:
        field = f"_given_{name}"

        def read(key: FakeKey) -> object:
            given = key.__dict__.get(field)
            if given is not None:
                return given
            return default(key) if callable(default) else default

        def write(key: FakeKey, new: object) -> None:
            key.__dict__[field] = new

        return property(read, write)

    FakeKey.checksum_algorithm = stored("algorithm", "CRC32")
    FakeKey.checksum_value = stored("value", value)
    FakeKey.checksum_type = stored("type", "FULL_OBJECT")


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
    keep_checksums()
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

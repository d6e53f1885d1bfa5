"""A server that speaks S3, with one empty bucket: `serve.py BUCKET`.

Prints one line of JSON with its `url` when it is ready, and ends when its standard input does. Whoever asks may do
everything; signatures are not looked at.
"""

import json
import sys
import urllib.request

from moto.server import ThreadedMotoServer


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    urllib.request.urlopen(urllib.request.Request(f"{url}/{sys.argv[1]}", method="PUT")).close()
    print(json.dumps({"url": url}), flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()

"""A plugin of pytest for sigstore-conformance: no test that only verifies needs a network.

The suite downloads an identity token for every test, and only those that sign use it.
"""

import base64
import json
import types

import urllib3

CLAIMS = {"email": "nobody@example.com", "iss": "https://issuer.example", "exp": 4102444800}
TOKEN = "." + base64.b64encode(json.dumps(CLAIMS).encode()).decode().rstrip("=") + "."

urllib3.request = lambda *_, **__: types.SimpleNamespace(data=TOKEN.encode())

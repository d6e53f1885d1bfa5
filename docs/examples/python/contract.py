"""Values of the contract, between Python and JSON (docs/evidence.md, "Values of the contract as JSON").

There is no schema here: the types are read from the component itself, where wit/ was compiled into it.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from wasmtime import component as wit

RANGES = {wit.U8: 2**8, wit.U16: 2**16, wit.U32: 2**32, wit.U64: 2**64}

# Bytes stand in a part of their own, by their digest.
Contents = dict[str, bytes]

# The most bytes that the values of one document refer to, counted each time that they do.
MAX_REFERRED = 256 << 20


class Referred(Contents):
    """Contents of which only so many bytes can be referred to: few references can ask for more memory than there is."""

    left = MAX_REFERRED

    def __getitem__(self, digest: str) -> bytes:
        content = super().__getitem__(digest)
        self.left -= len(content)
        if self.left < 0:
            raise ValueError(f"values refer to more than {MAX_REFERRED} bytes in all")
        return content


def read(kind: wit.ValType, json: Any, contents: Contents) -> Any:
    """From JSON to what wasmtime takes. Raises KeyError, TypeError or ValueError for what is not of this type."""
    match kind:
        case wit.RecordType():
            record = wit.Record()
            for name, field in kind.fields:
                setattr(record, name, read(field, json[name], contents))
            return record
        case wit.ListType() if isinstance(kind.element, wit.U8):
            return contents[json]
        case wit.ListType():
            element = kind.element
            return [read(element, each, contents) for each in expect(list, json)]
        case wit.TupleType():
            return tuple(read(*both, contents) for both in zip(kind.elements, json, strict=True))
        case wit.OptionType() | wit.ResultType() | wit.VariantType():
            if isinstance(kind, wit.OptionType):
                tag, payload = ("none", None) if json is None else ("some", json)
            else:
                [(tag, payload)] = [(json, None)] if isinstance(json, str) else json.items()
            tag = "err" if isinstance(kind, wit.ResultType) and tag == "error" else tag
            of = cases(kind)[tag]
            value = None if of is None else read(of, payload, contents)
            return wit.Variant(tag, value) if tagged(kind) else value
        case wit.FlagsType():
            return set(expect(list, json))
        case wit.EnumType():
            return kind.names[kind.names.index(json)]
        case wit.Bool():
            return expect(bool, json)
        case wit.String():
            return expect(str, json)
        case _:
            number = int(expect(str, json)) if isinstance(kind, wit.U64) else expect(int, json)
            if number not in range(RANGES[type(kind)]):
                raise ValueError(f"{number} is too large, or less than 0")
            return number


def write(kind: wit.ValType, value: Any, contents: Contents) -> Any:
    """From what wasmtime gives to JSON. Bytes go to `contents`."""
    match kind:
        case wit.RecordType():
            return {name: write(field, getattr(value, name), contents) for name, field in kind.fields}
        case wit.ListType() if isinstance(kind.element, wit.U8):
            digest = f"sha256:{hashlib.sha256(value).hexdigest()}"
            contents[digest] = value
            return digest
        case wit.ListType():
            element = kind.element
            return [write(element, each, contents) for each in value]
        case wit.TupleType():
            return [write(*both, contents) for both in zip(kind.elements, value, strict=True)]
        case wit.OptionType() | wit.ResultType() | wit.VariantType():
            tag, payload = which(kind, value)
            of = cases(kind)[tag]
            json = None if of is None else write(of, payload, contents)
            if isinstance(kind, wit.OptionType):
                return json
            tag = "error" if isinstance(kind, wit.ResultType) and tag == "err" else tag
            return tag if of is None else {tag: json}
        case wit.FlagsType():
            return [name for name in kind.names if name in value]
        case wit.U64():
            return str(value)
        case _:
            return value


def which(kind: wit.ValType, value: Any) -> tuple[str, Any]:
    """The case of an option, result or variant that a value is of, and its payload.

    Where Python's types alone tell the cases apart, wasmtime gives the payload bare; otherwise in a `Variant`.
    """
    if tagged(kind):
        return value.tag, value.payload
    for tag, of in cases(kind).items():
        if value is None if of is None else isinstance(value, tuple(classes(of))):
            return tag, value
    raise TypeError(f"no case for {value!r}")


def cases(kind: wit.ValType) -> dict[str, wit.ValType | None]:
    """The cases of an option, result or variant, as wasmtime names them, with the types of their payloads."""
    match kind:
        case wit.OptionType():
            return {"none": None, "some": kind.payload}
        case wit.ResultType():
            return {"ok": kind.ok, "err": kind.err}
        case _:
            return dict(kind.cases)


def tagged(kind: wit.ValType) -> bool:
    """Whether wasmtime has values of this type in a `Variant`."""
    return classes(kind) == {wit.Variant}


def classes(kind: wit.ValType) -> set[type]:
    """The classes that Python has values of this type in."""
    found: set[type] = set()
    kind.add_classes(found)
    return found


def read_contents(json: dict[str, Any]) -> Contents:
    """The part of a document with the bytes. Raises ValueError unless each is named by its digest."""
    contents = {}
    for digest, content in json.items():
        bare = isinstance(content, str)
        contents[digest] = content.encode() if bare else base64.b64decode(content["base64"], validate=True)
    return contents


def write_contents(contents: Contents) -> dict[str, Any]:
    """Bytes as a document has them."""
    json: dict[str, Any] = {}
    for digest, content in sorted(contents.items()):
        try:
            json[digest] = content.decode()
        except UnicodeDecodeError:
            json[digest] = {"base64": base64.b64encode(content).decode()}
    return json


def expect(kind: type, json: Any) -> Any:
    """The value, which has to be of this very class: in Python a bool is an int."""
    if type(json) is not kind:
        raise TypeError(f"not a {kind.__name__}: {json!r}")
    return json

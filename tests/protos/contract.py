"""The gRPC contract as plain text, and which changes of it would break a client.

`python -m tests.protos.contract` records it as it is now in contract.json, after an intended addition.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto

from protos.imagesearch.v1 import search_pb2

SCALARS: dict[int, str] = {
    number: name.removeprefix("TYPE_").lower() for name, number in FieldDescriptorProto.Type.items()
}
RECORD = Path(__file__).with_name("contract.json")


class Message(TypedDict):
    fields: dict[str, str]
    """By number: label, type and name, as in "repeated Hit hits"."""
    reserved: list[str]
    """Numbers and names that must not be used again."""


class Contract(TypedDict):
    methods: dict[str, str]
    messages: dict[str, Message]


def contract_now() -> Contract:
    file = search_pb2.DESCRIPTOR
    [service] = file.services_by_name.values()
    return {
        "methods": {
            method.name: f"{_streamed(method.client_streaming)}{method.input_type.name} → "
            f"{_streamed(method.server_streaming)}{method.output_type.name}"
            for method in service.methods
        },
        "messages": {
            name: {
                "fields": {
                    str(number): _field(field) for number, field in sorted(message.fields_by_number.items())
                },
                "reserved": _reserved(message),
            }
            for name, message in file.message_types_by_name.items()
        },
    }


def breaking_changes(before: Contract, after: Contract) -> list[str]:
    broken = [
        f"{name}: {call} became {after['methods'].get(name, 'nothing')}"
        for name, call in before["methods"].items()
        if after["methods"].get(name) != call
    ]
    for name, message in before["messages"].items():
        now = after["messages"].get(name)
        broken += [f"{name} is gone"] if now is None else _broken_fields(name, message, now)
    return broken


def _broken_fields(name: str, before: Message, after: Message) -> list[str]:
    broken = [
        f"{name}: {kept} is reserved no more" for kept in before["reserved"] if kept not in after["reserved"]
    ]
    for number, field in before["fields"].items():
        now = after["fields"].get(number)
        if now is None and not {number, field.split()[-1]} <= set(after["reserved"]):
            broken.append(
                f"{name}: {field} = {number} is gone, and its number and name are not both reserved"
            )
        if now is not None and now not in (field, f"optional {field}"):  # which a client may still leave out
            broken.append(f"{name}: {field} = {number} became {now}")
    return broken


def _field(field: FieldDescriptor) -> str:
    oneof = field.containing_oneof
    kept = field.message_type or field.enum_type
    kind = kept.full_name if kept else SCALARS[field.type]
    if field.is_repeated:
        label = "repeated "
    elif oneof is None:
        label = ""
    else:
        label = "optional " if oneof.name == f"_{field.name}" else f"oneof {oneof.name} "
    return f"{label}{kind.removeprefix('imagesearch.v1.')} {field.name}"


def _reserved(message: Descriptor) -> list[str]:
    proto = DescriptorProto()
    message.CopyToProto(proto)
    numbers = [str(number) for span in proto.reserved_range for number in range(span.start, span.end)]
    return numbers + list(proto.reserved_name)


def _streamed(is_stream: bool) -> str:
    return "stream of " if is_stream else ""


if __name__ == "__main__":
    RECORD.write_text(json.dumps(contract_now(), indent=2, ensure_ascii=False) + "\n", "utf-8")

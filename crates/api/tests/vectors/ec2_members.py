"""Writes ec2_members.txt: for every operation that ../../src/ec2/transcript.txt has, a form for every member of its
input: the operation, the member, and a value of the member's type.

Run with a Python that has botocore: python3 ec2_members.py > ec2_members.txt
"""

import re
from pathlib import Path

import botocore.session

TRANSCRIPT = Path(__file__).parents[2] / "src" / "ec2" / "transcript.txt"
PLAIN = {"boolean": "true", "integer": "1", "long": "1", "float": "1", "double": "1"}

model = botocore.session.get_session().get_service_model("ec2")


def queried(name, shape):
    name = shape.serialization.get("queryName") or shape.serialization.get("name", name)
    return name[0].upper() + name[1:]


def example(shape, path):
    if shape.type_name == "structure":
        return next((example(member, f"{path}.{queried(name, member)}") for name, member in shape.members.items()), path)
    if shape.type_name == "list":
        return example(shape.member, f"{path}.1")
    value = PLAIN.get(shape.type_name) or (getattr(shape, "enum", None) or ["x"])[0]
    return f"{path}={value}"


for name in sorted(set(re.findall(r"^Action=(\w+)", TRANSCRIPT.read_text(), re.MULTILINE))):
    if name in model.operation_names:
        for member, shape in model.operation_model(name).input_shape.members.items():
            path = queried(member, shape)
            print(name, path, example(shape, path))

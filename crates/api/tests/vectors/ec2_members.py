"""Writes ec2_members.txt: for every operation that ../../src/ec2/transcript.txt has and every member of its input, down
to those that are values: the operation, the member, and a parameter with a value of the member's type, a line for each
value that is worth a try.

Run with a Python that has botocore: python3 ec2_members.py > ec2_members.txt
"""

import re
from pathlib import Path

import botocore.session

TRANSCRIPT = Path(__file__).parents[2] / "src" / "ec2" / "transcript.txt"
PLAIN = {"boolean": ["true"], "integer": ["1", "0"], "long": ["1", "0"], "float": ["1"], "double": ["1"]}
# Of the thousand instance types, one says as much as all of them.
VALUES_MAX = 10

model = botocore.session.get_session().get_service_model("ec2")


def queried(name, shape):
    name = shape.serialization.get("queryName") or shape.serialization.get("name", name)
    return name[0].upper() + name[1:]


def examples(shape, path):
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from examples(member, [*path, queried(name, member)])
    elif shape.type_name == "list":
        yield from examples(shape.member, [*path, "1"])
    else:
        words = getattr(shape, "enum", None) or ["x"]
        for value in PLAIN.get(shape.type_name) or (words if len(words) <= VALUES_MAX else words[:1]):
            yield ".".join(part for part in path if part != "1"), f"{'.'.join(path)}={value}"


for name in sorted(set(re.findall(r"^Action=(\w+)", TRANSCRIPT.read_text(), re.MULTILINE))):
    if name in model.operation_names:
        for member, shape in model.operation_model(name).input_shape.members.items():
            for path, form in examples(shape, [queried(member, shape)]):
                print(name, path, form)

"""Writes value_types.txt: the members of requests and answers that are numbers or switches in the models of the services.
A line each: the service, `number` or `switch`, the structure that the member is in and the member, both as the audit
log names them. The structure is `*` where no plain text in the service has the name of the member, and nothing at the
top of a request or an answer.

For another version of the models, or after an operation of EC2 was added to its transcript, run with a Python that has
botocore: python3 value_types.py > value_types.txt
"""

import re
from pathlib import Path

import botocore.session

EC2_TRANSCRIPT = Path(__file__).parents[1] / "ec2" / "transcript.txt"
KINDS = {"boolean": "switch", "integer": "number", "long": "number", "float": "number", "double": "number"}

session = botocore.session.get_session()


def lower(name):
    return name[0].lower() + name[1:]


def called(service, name, shape, is_input):
    if service == "ec2":
        name = shape.serialization.get("name", name)
        return lower(is_input and shape.serialization.get("queryName") or name)
    return lower(name)


def leaves(service, parent, shape, is_input, above=()):
    """The kind, the structure and the name of each member that is a value; an `enum` is a text without digits."""
    if shape.type_name == "list":
        yield from leaves(service, parent, shape.member, is_input, above)
    if shape.type_name != "structure" or shape.name in above:
        return
    for name, member in shape.members.items():
        name = called(service, name, member, is_input)
        if member.type_name in KINDS:
            yield KINDS[member.type_name], parent, name
        elif member.type_name == "string" and not getattr(member, "enum", None):
            yield "text", parent, name
        else:
            yield from leaves(service, name, member, is_input, (*above, shape.name))


def operations(service, model):
    """Those of EC2 that elbow has; all of the others."""
    if service != "ec2":
        return map(model.operation_model, model.operation_names)
    transcript = EC2_TRANSCRIPT.read_text()
    return map(model.operation_model, set(re.findall(r"^Action=(\w+)", transcript, re.MULTILINE)))


def lines(service, answers_have_types):
    model = session.get_service_model(service)
    found = set()
    for operation in operations(service, model):
        if operation.input_shape:
            found |= set(leaves(service, "", operation.input_shape, True))
        if operation.output_shape and not answers_have_types:
            found |= set(leaves(service, "", operation.output_shape, False))
    texts = {name for kind, _, name in found if kind == "text"}
    typed = {(kind, parent if name in texts else "*", name) for kind, parent, name in found if kind != "text"}
    for kind, parent, name in sorted(typed):
        yield f"{model.signing_name} {kind} {parent}.{name}"


for service in ("ec2", "elbv2", "sts"):
    print("\n".join(lines(service, False)))
for service in ("acm", "arc-zonal-shift"):
    print("\n".join(lines(service, True)))

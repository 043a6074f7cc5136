"""Inputs made from the shapes of botocore's models, in and out of their constraints, and what an answer may hold."""

import copy
import re
from xml.etree import ElementTree

TEXT_NOBODY_WANTS = "<\u2603>"
OTHER_ACCOUNT, OTHER_REGION = "999999999999", "eu-west-1"
EC2_ID = re.compile(r"^(?P<kind>[a-z]+(?:-[a-z]+)*)-(?P<number>[0-9a-f]{17})$")
ITEMS = 200
FILTERS = ("Filter", "Filters")
# EC2 API, "InternetGatewayAttachment": the state of an internet gateway is "available".
DOCUMENTED = {("AttachmentStatus", "available")}
# ACM answers DescribeCertificate and ListCertificates with hyphens, such as RSA-2048, where its model has underscores:
# Terraform's AWS provider undoes it (certificate.go).
HYPHENATED = {("CertificateDetail", "KeyAlgorithm"), ("CertificateSummary", "KeyAlgorithm")}


def nodes(shape, value, path=()):
    """Every part of an input: (path, shape, value), and (path, shape, None) for members that are not given."""
    yield path, shape, value
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if name in value:
                yield from nodes(member, value[name], (*path, name))
            else:
                yield (*path, name), member, None
    elif shape.type_name == "list" and value:
        yield from nodes(shape.member, value[0], (*path, 0))


def replaced(whole, path, value):
    """A copy of an input with another value at this place."""
    if not path:
        return value
    changed = copy.deepcopy(whole)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


def broken_inputs(shape, fit):
    """Inputs like `fit` with one thing wrong: (what, input, whether the model says that it is refused)."""
    for path, member, value in nodes(shape, fit):
        where = ".".join(map(str, path))
        if value is not None and member.type_name == "structure":
            for name in member.required_members:
                if name in value and not is_in_path(member.members[name]):
                    less = {key: kept for key, kept in value.items() if key != name}
                    yield f"{where} without {name}", replaced(fit, path, less), True
        if not path:
            continue
        for what, wrong, is_certain in wrong_values(member, value):
            if wrong != "" or not is_in_path(member):
                # A filter may look for what is not there.
                yield f"{where} {what}", replaced(fit, path, wrong), is_certain and path[0] not in FILTERS


def is_in_path(shape):
    """Whether a request without this member names no operation."""
    return shape.serialization.get("location") == "uri"


def wrong_values(shape, value):
    """Values that the shape forbids, or that name nothing: (what, value, whether the model says so)."""
    limits = shape.metadata
    if shape.type_name == "string":
        yield from wrong_texts(shape, value)
    elif shape.type_name in ("integer", "long"):
        yield "not a number", "x", True
        yield "with a fraction", "1.5", True
        yield "over 64 bits", 2**63, True
        yield "over 31 bits", 2**31, shape.type_name == "integer"
        if "min" in limits:
            yield "too small", limits["min"] - 1, True
        if "max" in limits:
            yield "too large", limits["max"] + 1, True
    elif shape.type_name == "blob":
        yield "empty", b"", limits.get("min", 0) > 0
        yield "no such thing", b"\x00\xff", False
        if "max" in limits:
            yield "too large", b"a" * (limits["max"] + 1), True
    elif shape.type_name == "list" and value:
        yield "empty", [], limits.get("min", 0) > 0
        yield "repeated", value * 2, False
        yield "with too many", value * (limits.get("max", ITEMS) + 1), "max" in limits


def wrong_texts(shape, value):
    limits = shape.metadata
    yield "of strange characters", TEXT_NOBODY_WANTS, bool(shape.enum) or "pattern" in limits
    yield "too long", "a" * (limits.get("max", 9999) + 1), bool(shape.enum) or "max" in limits
    yield "empty", "", bool(shape.enum) or limits.get("min", 0) > 0
    for what, text in other_names(value):
        yield what, text, True


def other_names(value):
    """Names like this ARN or id, of things that are not there."""
    if not isinstance(value, str):
        return
    if value.startswith("arn:"):
        parts = value.split(":", 5)
        yield "of another account", ":".join([*parts[:4], OTHER_ACCOUNT, parts[5]])
        yield "of another Region", ":".join([*parts[:3], OTHER_REGION, *parts[4:]])
        yield "of another service", ":".join([*parts[:2], "sqs", *parts[3:]])
        yield "of another kind", ":".join([*parts[:5], "thing/" + parts[5].partition("/")[2]])
        yield "of nothing", value[:-1] + ("0" if value[-1] != "0" else "1")
        yield "cut off", "arn:aws:"
    elif found := EC2_ID.match(value):
        yield "of nothing", f"{found['kind']}-{'0' * 17}"
        yield "of another kind", f"x{found['kind']}-{found['number']}"
        yield "cut off", f"{found['kind']}-"


def random_input(shape, draw, known, depth=0):
    """An input within the constraints; members named in `known` have one of those values."""
    if shape.type_name == "structure":
        names = [
            name
            for name in shape.members
            if name in shape.required_members or (depth < 4 and draw.random() < 0.4 / (depth + 1))
        ]
        return {
            name: draw.choice(known[name])
            if name in known and draw.random() < 0.8
            else random_input(shape.members[name], draw, known, depth + 1)
            for name in names
        }
    if shape.type_name == "list":
        count = draw.randint(max(1, shape.metadata.get("min", 0)), 3)
        return [random_input(shape.member, draw, known, depth) for _ in range(count)]
    if shape.type_name == "map":
        return {random_input(shape.key, draw, known): random_input(shape.value, draw, known, depth)}
    return random_scalar(shape, draw)


def random_scalar(shape, draw):
    limits = shape.metadata
    if shape.type_name in ("integer", "long"):
        low = limits.get("min", 0)
        return draw.randint(low, min(limits.get("max", low + 1000), low + 100_000))
    if shape.type_name in ("float", "double"):
        return draw.random()
    if shape.type_name == "boolean":
        return draw.random() < 0.5
    if shape.type_name == "timestamp":
        return draw.randint(1_600_000_000, 1_900_000_000)
    if shape.type_name == "blob":
        return draw.randbytes(draw.randint(1, 40))
    if shape.enum:
        return draw.choice(shape.enum)
    low = limits.get("min", 0)
    length = draw.randint(max(low, 1), max(low, 1, min(limits.get("max", 12), 40)))
    return "".join(draw.choice("abcxyz0189") for _ in range(length))


def leaves(value, name=None, found=None):
    """The plain values of an input by the names of their members."""
    found = {} if found is None else found
    if isinstance(value, dict):
        for key, inner in value.items():
            leaves(inner, key, found)
            found.setdefault(key, []).append(inner)
    elif isinstance(value, list):
        for inner in value:
            leaves(inner, None, found)
    return found


def faults_of_output(shape, value, path=""):
    """What the model does not allow in a parsed answer."""
    if shape is None:
        return
    if shape.type_name == "structure":
        for name in shape.required_members:
            if name not in value:
                yield f"{path}.{name} is missing"
        for name, inner in value.items():
            if (shape.name, name) in HYPHENATED:
                inner = inner.replace("-", "_")
            if name in shape.members:
                yield from faults_of_output(shape.members[name], inner, f"{path}.{name}")
    elif shape.type_name == "list":
        for inner in value:
            yield from faults_of_output(shape.member, inner, f"{path}[]")
    elif shape.type_name == "string" and shape.enum:
        if value not in shape.enum and (shape.name, value) not in DOCUMENTED:
            yield f"{path} is {value!r}, which is none of {shape.enum}"


def faults_of_json(shape, value, path=""):
    """Members of a JSON answer that the model does not have."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, inner in value.items():
            if name not in shape.members:
                yield f"{path}.{name} is not in the model"
            else:
                yield from faults_of_json(shape.members[name], inner, f"{path}.{name}")
    elif shape.type_name == "list":
        for inner in value:
            yield from faults_of_json(shape.member, inner, f"{path}[]")


def faults_of_xml(shape, body, wrapper):
    """Elements of an answer that the model does not have, and the wrapper of a result if it is not there."""
    root = ElementTree.fromstring(body)
    members = serialized(shape) if shape else {}
    if wrapper is None:
        # EC2 API, "CreateTags": every answer without members has `return`, which the model leaves out.
        result, beside = root, {"requestId", "return"} - set(members)
        result[:] = [it for it in root if tag(it) not in beside]
    else:
        yield from (f".{tag(it)} is not in the model" for it in root if tag(it) not in (wrapper, "ResponseMetadata"))
        result = next((it for it in root if tag(it) == wrapper), None)
        if result is None:
            yield f".{wrapper} is missing"
            return
    if shape is not None:
        yield from faults_of_element(shape, result, "")
    else:
        yield from (f".{tag(it)} is not in the model" for it in result)


def faults_of_element(shape, element, path):
    if shape.type_name == "structure":
        members = serialized(shape)
        for child in element:
            if tag(child) in members:
                yield from faults_of_element(members[tag(child)], child, f"{path}.{tag(child)}")
            else:
                yield f"{path}.{tag(child)} is not in the model"
    elif shape.type_name == "list" and not shape.serialization.get("flattened"):
        for child in element:
            yield from faults_of_element(shape.member, child, f"{path}[]")


def serialized(shape):
    """The members of a structure by the names that they have in XML."""
    named = {}
    for name, member in shape.members.items():
        if member.type_name == "list" and member.serialization.get("flattened"):
            name = member.member.serialization.get("name", name)
        named[member.serialization.get("name", name)] = member
    return named


def tag(element):
    return element.tag.rpartition("}")[2]

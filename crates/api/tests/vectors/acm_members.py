"""Writes acm_members.txt: for every operation of the API's model its name and an input with every member.

Run with a Python that has botocore: python3 acm_members.py > acm_members.txt
"""

import json

import botocore.session

model = botocore.session.get_session().get_service_model("acm")


def example(shape, around=()):
    if shape.name in around:
        return {}
    around = (*around, shape.name)
    if shape.type_name == "structure":
        return {name: example(member, around) for name, member in shape.members.items()}
    if shape.type_name == "list":
        return [example(shape.member, around)]
    if shape.type_name == "map":
        return {"key": example(shape.value, around)}
    return "x"


for name in model.operation_names:
    shape = model.operation_model(name).input_shape
    print(name, json.dumps(example(shape) if shape else {}, separators=(",", ":")))

"""Writes acm_members.txt and arc-zonal-shift_members.txt: for every operation of the API's model its name and an input
with every member.

Run with a Python that has botocore: python3 json_members.py acm > acm_members.txt
"""

import json
import sys

import botocore.session

model = botocore.session.get_session().get_service_model(sys.argv[1])


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

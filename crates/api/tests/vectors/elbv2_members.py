"""Writes elbv2_members.txt: a form for every input of the API's model, with every member in it.

Run with a Python that has botocore: python3 elbv2_members.py > elbv2_members.txt
"""

import botocore.session

model = botocore.session.get_session().get_service_model("elbv2")


def leaves(shape, path):
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from leaves(member, f"{path}.{name}" if path else name)
    elif shape.type_name == "list":
        yield from leaves(shape.member, f"{path}.member.1")
    elif shape.type_name == "map":
        yield from (f"{path}.entry.1.key", f"{path}.entry.1.value")
    else:
        yield path


for name in model.operation_names:
    members = leaves(model.operation_model(name).input_shape, "")
    print("&".join([f"Action={name}", *(f"{member}=x" for member in members)]))

"""Writes elbv2_errors.txt, acm_errors.txt and arc-zonal-shift_errors.txt: for every operation of the API's model its name and the codes of its
errors.

Run with a Python that has botocore: python3 errors.py acm > acm_errors.txt
"""

import sys

import botocore.session

model = botocore.session.get_session().get_service_model(sys.argv[1])
for name in model.operation_names:
    shapes = model.operation_model(name).error_shapes
    codes = {shape.metadata.get("error", {}).get("code") or shape.name for shape in shapes}
    print(name, *sorted(codes))

"""Writes arc-zonal-shift_routes.txt: for every operation of the API's model its name, its method, its path, the status
of its answers, and the members that are in the query.

Run with a Python that has botocore: python3 routes.py arc-zonal-shift > arc-zonal-shift_routes.txt
"""

import sys

import botocore.session

model = botocore.session.get_session().get_service_model(sys.argv[1])

for name in model.operation_names:
    operation = model.operation_model(name)
    http = operation.http
    members = operation.input_shape.members.items() if operation.input_shape else ()
    query = [member for member, shape in members if shape.serialization.get("location") == "querystring"]
    print(name, http["method"], http["requestUri"], http.get("responseCode", 200), *query)

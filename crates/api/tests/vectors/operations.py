"""Writes operations.txt: of every service the name that it signs with, then the names of its operations, a line
each; an empty line between services.

Run with a Python that has botocore: python3 operations.py > operations.txt
"""

import botocore.session

SERVICES = ("elbv2", "ec2", "sts", "acm", "arc-zonal-shift")

session = botocore.session.get_session()
models = [session.get_service_model(service) for service in SERVICES]
print("\n\n".join("\n".join([model.signing_name, *sorted(model.operation_names)]) for model in models))

"""Writes ec2_filters.txt: for every operation of EC2 with filters that ../../src/ec2/transcript.txt has, a line with the
operation and one of the filters that its documentation names; `tag:Name` stands for all of `tag:<key>`.

Run with a Python that has botocore: python3 ec2_filters.py > ec2_filters.txt
"""

import re
from pathlib import Path

import botocore.session

TRANSCRIPT = Path(__file__).parents[2] / "src" / "ec2" / "transcript.txt"

model = botocore.session.get_session().get_service_model("ec2")


def documented(text):
    """The first code of each item of a list; the values of a filter may be a list inside its item."""
    depth = 0
    for tag, name in re.findall(r"(</?ul>)|<li>\s*<p>\s*<code>\s*([^<]+?)\s*</code>", text):
        depth += {"<ul>": 1, "</ul>": -1}.get(tag, 0)
        if name and depth == 1:
            yield "tag:Name" if name == "tag" else name


for name in sorted(set(re.findall(r"^Action=(\w+)", TRANSCRIPT.read_text(), re.MULTILINE))):
    if name in model.operation_names:
        members = model.operation_model(name).input_shape.members
        for filters in (members[member] for member in ("Filters", "Filter") if member in members):
            for filter in sorted(set(documented(filters.documentation))):
                print(name, filter)

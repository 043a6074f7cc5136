"""Every operation of the services' models, with inputs in and out of their constraints.

What comes back is an answer or an error that the model has, whatever was sent: a client of AWS can read it.
"""

import random

import pytest

from harness.model import broken_inputs, faults_of_xml, leaves, random_input
from harness.model_calls import Calls, alterations
from harness.model_inputs import FIT, REFUSED, Things, roomy_elbow

SERVICES = tuple(FIT)
# For each operation, drawn from its name; what breaks one constraint of its model is sent whole.
RANDOM_COUNT = 8
# Where the name of nothing is as good as that of something: what is gone already, and lists by a name.
NAMES_NOTHING = {
    "DeleteLoadBalancer",
    "DeleteTargetGroup",
    "ListZonalShifts",
    "RemoveListenerCertificates",
}


@pytest.fixture(scope="module")
def walked(network, tmp_path_factory):
    """An elbow, and one thing of each kind in it."""
    with roomy_elbow(tmp_path_factory.mktemp("walk"), network) as elbow:
        yield elbow, Things(elbow)


@pytest.mark.parametrize("body, fault", [
    ("<R><DescribeTagsResult><TagDescriptions/></DescribeTagsResult><ResponseMetadata/></R>", None),
    ("<R><ResponseMetadata/></R>", ".DescribeTagsResult is missing"),
    ("<R><DescribeTagsResult><Colour/></DescribeTagsResult></R>", ".Colour is not in the model"),
    ("<R><DescribeTagsResult/><Colour/></R>", ".Colour is not in the model"),
    (
        "<R><DescribeTagsResult><TagDescriptions><member><Colour/></member></TagDescriptions></DescribeTagsResult></R>",
        ".TagDescriptions[].Colour is not in the model",
    ),
])  # fmt: skip
def test_what_an_answer_may_not_hold_is_found(elbv2, body, fault):
    shape = elbv2.meta.service_model.operation_model("DescribeTags").output_shape
    assert list(faults_of_xml(shape, body, "DescribeTagsResult")) == ([fault] if fault else [])


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("service", SERVICES)
def test_answers_and_errors_are_those_of_the_model(walked, service):
    elbow, things = walked
    calls = Calls(elbow.client(service))
    fits = {name: (fit, None) for name, fit in FIT[service].items()} | REFUSED.get(service, {})
    served = {name for name in calls.model.operation_names if is_served(calls, name)}
    assert served == set(fits), "each operation that is served has an input that fits, in harness/model_inputs*.py"
    for name, (fit, wanted) in fits.items():
        walk(calls, calls.model.operation_model(name), random.Random(name), fit, things)
        code, message = calls.call(name, fit(things), "what fits")
        if code != wanted:
            calls.faults.append(f"{name}, what fits: {code} {message}; expected is {wanted or 'an answer'}")
    print(f"{service}: {len(served)} operations, {calls.count} calls")
    assert not calls.faults, "\n".join(calls.faults)


def is_served(calls, name):
    shape = calls.model.operation_model(name).input_shape
    return calls.is_served(name, random_input(shape, random.Random(name), {}) if shape else {})


def walk(calls, operation, draw, fit, things):
    """Calls one operation with what does not fit, and with what may."""
    name, shape = operation.name, operation.input_shape
    base = fit(things)
    for what, alter in alterations(calls.protocol, operation):
        calls.call(name, base, what, alter)
    if shape is None:
        return
    known = leaves(base)
    for _ in range(RANDOM_COUNT):
        arguments = random_input(shape, draw, known)
        calls.call(name, arguments, f"the random input {arguments}")
    for what, arguments, is_certain in broken_inputs(shape, base):
        code, _ = calls.call(name, arguments, what)
        names_nothing = name in NAMES_NOTHING and " of " in what and "characters" not in what
        # EC2 takes a parameter that is empty for one that is not given.
        is_absent = calls.protocol == "ec2" and what.endswith(" empty")
        if code is None and is_certain and not (names_nothing or is_absent):
            calls.faults.append(f"{name}, {what}: is accepted")

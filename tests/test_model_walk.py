"""Every operation of the services' models, with inputs in and out of their constraints.

What comes back is an answer or an error that the model has, whatever was sent: a client of AWS can read it.
"""

import random
import shutil

import pytest

from harness.elbow import Elbow
from harness.model import broken_inputs, leaves, random_input
from harness.model_calls import Calls, alterations
from harness.model_inputs import BUCKET, FILES, FIT, Things

SERVICES = tuple(FIT)
# Of the inputs of one operation; a seed for each operation chooses them.
BROKEN_MAX, ALTERED_MAX, RANDOM_COUNT = 45, 20, 4
# What can only be refused: elbow has one account, and nothing is shared.
ALWAYS_REFUSED = {"DeleteSharedTrustStoreAssociation", "GetResourcePolicy"}
# What only succeeds for certificates that have been issued and exported; they are called with inputs of the model.
FOR_ISSUED = {"ExportCertificate", "RenewCertificate", "RevokeCertificate", "UpdateCertificateOptions"}
# Where the name of nothing is as good as that of something: what is gone already, and lists by a name.
NAMES_NOTHING = {
    "DeleteLoadBalancer",
    "DeleteTargetGroup",
    "ListZonalShifts",
    "RemoveListenerCertificates",
}


@pytest.fixture(scope="module")
def walked(network, tmp_path_factory):
    """An elbow whose bucket has the files of tests/certificates, and one thing of each kind in it."""
    directory = tmp_path_factory.mktemp("walk")
    shutil.copytree(FILES, directory / "objects" / BUCKET)
    config = directory / "elbow.toml"
    config.write_text(f"[s3]\ndirectory = '{directory}/objects'\n")
    elbow = Elbow(directory, network, arguments=["--config", str(config)])
    elbow.start()
    yield elbow, Things(elbow)
    elbow.stop()


@pytest.mark.parametrize("service", SERVICES)
def test_answers_and_errors_are_those_of_the_model(walked, service):
    elbow, things = walked
    calls = Calls(elbow.client(service))
    served = []
    for name in calls.model.operation_names:
        operation = calls.model.operation_model(name)
        draw = random.Random(name)
        needed = random_input(operation.input_shape, draw, {}) if operation.input_shape else {}
        if name not in FIT[service] and not calls.is_served(name, needed):
            continue
        served.append(name)
        walk(calls, operation, draw, FIT[service].get(name, lambda _: needed), things)
        if name in FIT[service]:
            code, message = calls.call(name, FIT[service][name](things), "what fits")
            if code is not None:
                calls.faults.append(f"{name} is refused when its input fits: {code} {message}")
    print(f"{service}: {len(served)} operations, {calls.count} calls")
    assert not calls.faults, "\n".join(calls.faults)
    assert set(FIT[service]) <= set(served)
    if service != "ec2":
        strange = set(served) - set(FIT[service]) - ALWAYS_REFUSED - FOR_ISSUED
        assert not strange, "give each of these an input that fits, in harness/model_inputs.py"


def walk(calls, operation, draw, fit, things):
    """Calls one operation with what does not fit, and with what may."""
    name, shape = operation.name, operation.input_shape
    base = fit(things)
    altered = list(alterations(calls.protocol, operation))
    for what, alter in draw.sample(altered, min(ALTERED_MAX, len(altered))):
        calls.call(name, base, what, alter)
    if shape is None:
        return
    known = leaves(base)
    for _ in range(RANDOM_COUNT):
        arguments = random_input(shape, draw, known)
        calls.call(name, arguments, f"the random input {arguments}")
    broken = list(broken_inputs(shape, base))
    for what, arguments, is_certain in draw.sample(broken, min(BROKEN_MAX, len(broken))):
        code, _ = calls.call(name, arguments, what)
        names_nothing = name in NAMES_NOTHING and " of " in what and "characters" not in what
        if code is None and is_certain and not names_nothing:
            calls.faults.append(f"{name}, {what}: is accepted")

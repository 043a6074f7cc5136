"""Calls the operations of a service as its model has them and judges what comes back."""

import json

from botocore.exceptions import ClientError

from .model import faults_of_json, faults_of_output, faults_of_xml

# AWS, "Common Errors" of the Query APIs; MalformedInput is what Elastic Load Balancing says of lists that are none.
QUERY = {
    "InvalidParameterCombination", "InvalidParameterValue", "InvalidQueryParameter", "MalformedInput",
    "MalformedQueryString", "MissingParameter", "ValidationError",
}
# Smithy, "AWS JSON 1.1 protocol" and "AWS restJson1 protocol": inputs that cannot be read.
JSON = {"SerializationException", "ValidationException"}
# EC2 API, "Error codes for the Amazon EC2 API", "Client error codes".
EC2 = {
    "AddressLimitExceeded", "CannotDelete", "DefaultSubnetAlreadyExistsInAvailabilityZone", "DependencyViolation",
    "DryRunOperation", "FilterLimitExceeded", "IdempotentParameterMismatch", "IncorrectInstanceState",
    "IncorrectState", "InvalidAddress.NotFound", "InvalidAllocationID.NotFound", "InvalidAssociationID.NotFound",
    "InvalidAvailabilityZone", "InvalidFilter", "InvalidGroup.Duplicate", "InvalidGroup.InUse",
    "InvalidGroup.NotFound", "InvalidGroup.Reserved", "InvalidGroupId.Malformed", "InvalidID",
    "InvalidIPAddress.InUse", "InvalidInstanceID", "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound",
    "InvalidInterface.IpAddressLimitExceeded", "InvalidInternetGatewayID.NotFound",
    "InvalidInternetGatewayId.NotFound", "InvalidKeyPair.Duplicate", "InvalidKeyPair.NotFound",
    "InvalidNetworkInterface.InUse", "InvalidNetworkInterfaceID.NotFound", "InvalidNetworkInterfaceId.Malformed",
    "InvalidNextToken", "InvalidPaginationToken", "InvalidParameter", "InvalidParameterCombination", "InvalidRequest",
    "InvalidParameterValue", "InvalidPermission.Duplicate", "InvalidPermission.Malformed",
    "InvalidPermission.NotFound", "InvalidRoute.NotFound", "InvalidRouteTableID.NotFound",
    "InvalidSecurityGroupID.NotFound", "InvalidSecurityGroupRuleId.Malformed",
    "InvalidSecurityGroupRuleId.NotFound", "InvalidSubnet", "InvalidSubnet.Conflict", "InvalidSubnet.Range",
    "InvalidSubnetID.NotFound", "InvalidVpc.Range", "InvalidVpcID.NotFound", "InvalidVpcRange", "MissingParameter",
    "NetworkAclLimitExceeded", "OperationNotPermitted", "PrivateIpAddressLimitExceeded",
    "Resource.AlreadyAssociated", "RouteAlreadyExists", "RouteTableLimitExceeded",
    "RulesPerSecurityGroupLimitExceeded", "SecurityGroupLimitExceeded", "SecurityGroupsPerInstanceLimitExceeded",
    "SubnetLimitExceeded", "TagLimitExceeded", "UnknownParameter", "UnknownVolumeType.Unsupported", "Unsupported",
    "UnsupportedOperation", "ValidationError", "VpcLimitExceeded", "DefaultVpcAlreadyExists",
    "InvalidAssociationID.Malformed", "InvalidAttachmentID.NotFound", "InvalidGatewayID.NotFound",
    "InvalidInstanceType", "InvalidNetworkAclID.NotFound", "InvalidPrefixListId.Malformed",
    "InvalidPrefixListID.NotFound", "InvalidRouteTableId.Malformed", "Gateway.NotAttached",
    "InvalidDhcpOptionID.NotFound", "PrefixListVersionMismatch", "InvalidSubnetCidrBlockAssociationID.NotFound",
    "InvalidVpcCidrBlockAssociationIdError.NotFound", "InvalidVpcEndpointId.NotFound",
    "InvalidVpcPeeringConnectionID.NotFound", "InvalidVpnGatewayID.NotFound", "NatGatewayNotFound",
    "InvalidAMIID.NotFound", "InvalidSnapshot.NotFound", "InvalidVolume.NotFound", "InstanceLimitExceeded",
    "InsufficientFreeAddressesInSubnet", "MissingInput",
    "InstanceCreditSpecification.NotSupported", "InvalidPublicIpv4PoolID.NotFound",
}
COMMON = {"query": QUERY, "json": JSON, "rest-json": JSON, "ec2": EC2}
# Elastic Load Balancing has this code; its model leaves it out where tags are given to something new.
UNLISTED = {(f"Create{kind}", "DuplicateTagKeys") for kind in ("Listener", "Rule", "TargetGroup")}
REFUSED = "elbow does not support the operation"


class Calls:
    """A client that notes everything in the answers that the model of the service does not have."""

    def __init__(self, client):
        self.client = client
        self.model = client.meta.service_model
        self.protocol = self.model.metadata["protocol"]
        self.faults = []
        self.count = 0
        self.alter = None
        self.body = b""
        client.meta.events.register("before-call", self._before_call)
        client.meta.events.register("before-parse", self._before_parse)

    def call(self, name, arguments, what, alter=None):
        """Makes a call, and checks its answer; returns the error code, or None if there was none.

        `alter` changes the members that are about to be sent, which a careful client would not send so.
        """
        self.count += 1
        self.alter = alter
        operation = self.model.operation_model(name)
        try:
            # The method of the client's class, below all that makes it comfortable.
            # It adds to its arguments the tokens by which a call is known again.
            answer = self.client._make_api_call(name, dict(arguments))
        except ClientError as error:
            self._check_error(operation, error.response, what)
            return error.response["Error"]["Code"], error.response["Error"]["Message"]
        answer.pop("ResponseMetadata")
        faults = [*faults_of_output(operation.output_shape, answer), *self._unknown_members(operation)]
        self.faults += [f"{name}, {what}: the answer's {fault}" for fault in faults]
        return None, ""

    def is_served(self, name, arguments):
        """Whether elbow performs an operation; one that it does not is refused by its name."""
        self.alter = None
        try:
            self.client._make_api_call(name, arguments)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            assert status < 500, f"{name} failed: {error}"
            # What needs no signature on AWS gets no further here.
            is_open = self.model.operation_model(name).auth_type == "none"
            is_unsigned = is_open and error.response["Error"]["Code"] == "MissingAuthenticationToken"
            return not is_unsigned and f"{REFUSED} {name}" not in error.response["Error"]["Message"]
        return True

    def _check_error(self, operation, response, what):
        code, message = response["Error"]["Code"], response["Error"]["Message"]
        status = response["ResponseMetadata"]["HTTPStatusCode"]
        codes = {shape.error_code: shape.metadata for shape in operation.error_shapes}
        modelled = codes.get(code, {}).get("error", {}).get("httpStatusCode")
        said = f"{operation.name}, {what}: {code} ({status}) {message[:200]}"
        is_known = code in codes or code in COMMON[self.protocol] or (operation.name, code) in UNLISTED
        if not is_known:
            self.faults.append(f"{said} - the model has no such error")
        elif status >= 500 or (modelled and modelled != status):
            self.faults.append(f"{said} - the status is wrong")
        elif not message.strip():
            self.faults.append(f"{said} - nothing is said")

    def _unknown_members(self, operation):
        shape = operation.output_shape
        if self.protocol in ("json", "rest-json"):
            return faults_of_json(shape, json.loads(self.body)) if self.body and shape else []
        return faults_of_xml(shape, self.body, shape and shape.serialization.get("resultWrapper"))

    def _before_call(self, params, **_):
        if self.alter is None:
            return
        if self.protocol in ("query", "ec2"):
            self.alter(params["body"])
        elif params["body"]:
            body = json.loads(params["body"])
            self.alter(body)
            params["body"] = json.dumps(body).encode()

    def _before_parse(self, response_dict, **_):
        self.body = response_dict["body"]


def alterations(protocol, operation):
    """Members of a wrong type, and ones that the operation does not have: (what, a change of what is sent)."""
    yield "with an unknown member", lambda members: members.update({"NoSuchMember": "x"})
    if operation.input_shape is None:
        return
    for name, shape in operation.input_shape.members.items():
        if protocol in ("query", "ec2"):
            if protocol == "ec2":
                name = shape.serialization.get("queryName") or capital(shape.serialization.get("name", name))
            item = f"{name}.member.1" if protocol == "query" else f"{name}.1"
            for key in (name, item, f"{name}.NoSuchMember", f"{name}.member.x", f"{name}.0", f"{item}.member.1"):
                yield f"{key}=x", lambda members, name=name, key=key: send_instead(members, name, {key: "x"})
        else:
            for value in ("x", 7, 1.5, True, None, [], ["x"], [[]], {}, {"NoSuchMember": 1}, [{"NoSuchMember": 1}]):
                yield f"{name}={value!r}", lambda members, name=name, value=value: members.update({name: value})


def send_instead(members, name, others):
    for key in [key for key in members if key == name or key.startswith(f"{name}.")]:
        del members[key]
    members.update(others)


def capital(name):
    return name[0].upper() + name[1:]

"""Writers for what a day brings beside load balancers: certificates, trust stores, networks, instances, shifts."""

from cryptography import x509

from .certificates import Authority
from .writers import Writer, as_set, tags

ALL_KEYS = {"keyTypes": ["RSA_2048", "EC_prime256v1"]}
BUCKET = "clients"


def name_of(thing):
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags", [])}.get("Name", "")


def named(kind, name):
    """Tags of something new, of which it has all or none."""
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}, *tags("one", "two")]}]


class Certificates(Writer):
    """Book: by domain name whether a certificate was requested, or the serial number of the imported one; its tags."""

    def __init__(self, shop, seed):
        super().__init__(shop, seed)
        self.acm, self.authority, self.arns = shop.elbow.client("acm"), Authority(), {}

    def create(self, name):
        domain, made = f"{name}.example.com", tags("one", "two")
        if self.random.random() < 0.5:
            arguments = {"DomainName": domain, "KeyAlgorithm": "EC_prime256v1", "Tags": made}
            after = self.with_entry(domain, ("requested", as_set(made)))
            return lambda: self.acm.request_certificate(**arguments), after
        return self.put(domain, made, Tags=made)

    def put(self, domain, tagged, **options):
        """Imports a certificate, as a new one or in the place of one."""
        certificate, chain, key = self.authority.issue(domain)
        files = {"Certificate": certificate, "CertificateChain": chain, "PrivateKey": key}
        call = lambda: self.acm.import_certificate(**files, **options)
        return call, self.with_entry(domain, (serial_of(certificate), as_set(tagged)))

    def delete(self, domain):
        return lambda: self.acm.delete_certificate(CertificateArn=self.arn(domain)), self.without(domain)

    def replace(self, domain):
        kind, tagged = self.book[domain]
        if kind == "requested":
            return self.tag(domain)
        kept = [{"Key": key, "Value": value} for key, value in tagged]
        return self.put(domain, kept, CertificateArn=self.arn(domain))

    def tag(self, domain):
        kind, tagged = self.book[domain]
        new = tags("three", "four")
        arn = self.arn(domain)
        call = lambda: self.acm.add_tags_to_certificate(CertificateArn=arn, Tags=new)
        return call, self.with_entry(domain, (kind, tagged | as_set(new)))

    changes = (replace, tag)

    def arn(self, domain):
        self.found()
        return self.arns[domain]

    def found(self):
        listed = self.acm.list_certificates(Includes=ALL_KEYS, MaxItems=100)["CertificateSummaryList"]
        self.arns = {one["DomainName"]: one["CertificateArn"] for one in listed}
        assert len(self.arns) == len(listed), "no certificate is there twice"
        return {domain: self.entry(arn) for domain, arn in self.arns.items()}

    def entry(self, arn):
        shown = self.acm.describe_certificate(CertificateArn=arn)["Certificate"]
        tagged = as_set(self.acm.list_tags_for_certificate(CertificateArn=arn)["Tags"])
        if shown["Type"] != "IMPORTED":
            return "requested", tagged
        return serial_of(self.acm.get_certificate(CertificateArn=arn)["Certificate"].encode()), tagged


def serial_of(pem):
    return x509.load_pem_x509_certificate(pem).serial_number


class TrustStores(Writer):
    """Book: how many authorities each trust store has, how many revocations, and its tags, by name."""

    def create(self, name):
        made = tags("one", "two")
        call = lambda: self.elbv2.create_trust_store(Name=name, Tags=made, **bundle("root.pem"))
        return call, self.with_entry(name, (1, 0, as_set(made)))

    def delete(self, name):
        arn = self.arn(name)
        return lambda: self.elbv2.delete_trust_store(TrustStoreArn=arn), self.without(name)

    def replace(self, name):
        count, revocations, tagged = self.book[name]
        arn, file = self.arn(name), {1: "chain.pem", 2: "root.pem"}[count]
        call = lambda: self.elbv2.modify_trust_store(TrustStoreArn=arn, **bundle(file))
        return call, self.with_entry(name, (3 - count, revocations, tagged))

    def revoke(self, name):
        """Adds two lists of revocations at once, or removes all that there are."""
        count, revocations, tagged = self.book[name]
        arn = self.arn(name)
        if revocations:
            ids = self.revocations(arn)
            call = lambda: self.elbv2.remove_trust_store_revocations(TrustStoreArn=arn, RevocationIds=ids)
            return call, self.with_entry(name, (count, 0, tagged))
        contents = [{"S3Bucket": BUCKET, "S3Key": "revoked.crl.pem", "RevocationType": "CRL"}] * 2
        call = lambda: self.elbv2.add_trust_store_revocations(TrustStoreArn=arn, RevocationContents=contents)
        return call, self.with_entry(name, (count, 2, tagged))

    changes = (replace, revoke)

    def arn(self, name):
        return self.elbv2.describe_trust_stores(Names=[name])["TrustStores"][0]["TrustStoreArn"]

    def revocations(self, arn):
        shown = self.elbv2.describe_trust_store_revocations(TrustStoreArn=arn)["TrustStoreRevocations"]
        return [one["RevocationId"] for one in shown]

    def found(self):
        stores = {one["Name"]: one for one in self.elbv2.describe_trust_stores()["TrustStores"]}
        tagged = self.tags_of([one["TrustStoreArn"] for one in stores.values()])
        arns = {name: one["TrustStoreArn"] for name, one in stores.items()}
        return {
            name: (stores[name]["NumberOfCaCertificates"], len(self.revocations(arn)), tagged[arn])
            for name, arn in arns.items()
        }


def bundle(file):
    return {"CaCertificatesBundleS3Bucket": BUCKET, "CaCertificatesBundleS3Key": file}


class Networks(Writer):
    """Book: the block, the tags and the blocks of the subnets of each VPC, and whether it has names, by name.

    With a VPC come its main route table and its default security group.
    """

    def create(self, name):
        block = f"10.{self._names}.0.0/16"
        wanted = {"CidrBlock": block, "TagSpecifications": named("vpc", name)}
        entry = (block, as_set(wanted["TagSpecifications"][0]["Tags"]), frozenset(), False)
        return lambda: self.ec2.create_vpc(**wanted), self.with_entry(name, entry)

    def delete(self, name):
        if self.book[name][2]:
            return self.give_back(name)
        vpc = self.id(name)
        return lambda: self.ec2.delete_vpc(VpcId=vpc), self.without(name)

    def cut(self, name):
        block, tagged, subnets, has_names = self.book[name]
        free = [n for n in range(8) if block.replace(".0.0/16", f".{n}.0/24") not in subnets]
        if not free:
            return self.give_back(name)
        subnet = block.replace(".0.0/16", f".{self.random.choice(free)}.0/24")
        wanted = {"VpcId": self.id(name), "CidrBlock": subnet, "TagSpecifications": named("subnet", name)}
        entry = (block, tagged, subnets | {subnet}, has_names)
        return lambda: self.ec2.create_subnet(**wanted), self.with_entry(name, entry)

    def give_back(self, name):
        block, tagged, subnets, has_names = self.book[name]
        if not subnets:
            return self.cut(name)
        gone = self.random.choice(sorted(subnets))
        [subnet] = [one["SubnetId"] for one in self.inside("subnets", self.id(name)) if one["CidrBlock"] == gone]
        entry = (block, tagged, subnets - {gone}, has_names)
        return lambda: self.ec2.delete_subnet(SubnetId=subnet), self.with_entry(name, entry)

    def switch(self, name):
        block, tagged, subnets, has_names = self.book[name]
        change = {"VpcId": self.id(name), "EnableDnsHostnames": {"Value": not has_names}}
        return lambda: self.ec2.modify_vpc_attribute(**change), self.with_entry(
            name, (block, tagged, subnets, not has_names)
        )

    changes = (cut, cut, give_back, switch)

    def vpcs(self):
        return {name_of(one): one for one in self.ec2.describe_vpcs()["Vpcs"] if not one["IsDefault"]}

    def id(self, name):
        return self.vpcs()[name]["VpcId"]

    def inside(self, kind, vpc):
        """What a VPC has of this kind."""
        answer = getattr(self.ec2, f"describe_{kind}")(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        [found] = [value for key, value in answer.items() if key != "ResponseMetadata"]
        return found

    def found(self):
        return {name: self.entry(one) for name, one in self.vpcs().items()}

    def entry(self, vpc):
        id = vpc["VpcId"]
        [table], [group] = self.inside("route_tables", id), self.inside("security_groups", id)
        assert table["Associations"][0]["Main"] and group["GroupName"] == "default"
        subnets = self.inside("subnets", id)
        whole = {key for key, _ in as_set(tags("one", "two"))} | {"Name"}
        assert all({tag["Key"] for tag in one["Tags"]} == whole for one in subnets)
        names = self.ec2.describe_vpc_attribute(VpcId=id, Attribute="enableDnsHostnames")["EnableDnsHostnames"]
        blocks = frozenset(one["CidrBlock"] for one in subnets)
        return vpc["CidrBlock"], as_set(vpc["Tags"]), blocks, names["Value"]


class PrefixLists(Writer):
    """Book: the version, the entries and the tags of each prefix list, by name."""

    def create(self, name):
        entries = frozenset(self.some())
        wanted = {"PrefixListName": name, "AddressFamily": "IPv4", "MaxEntries": 50, "Entries": cidrs(entries)}
        wanted["TagSpecifications"] = named("prefix-list", name)
        entry = (1, entries, as_set(wanted["TagSpecifications"][0]["Tags"]))
        return lambda: self.ec2.create_managed_prefix_list(**wanted), self.with_entry(name, entry)

    def some(self):
        return {f"10.{n}.0.0/16" for n in self.random.sample(range(40), 3)}

    def delete(self, name):
        id = self.lists()[name]["PrefixListId"]
        return lambda: self.ec2.delete_managed_prefix_list(PrefixListId=id), self.without(name)

    def modify(self, name):
        """Adds and removes entries in one step."""
        version, entries, tagged = self.book[name]
        new, gone = frozenset(self.some()) - entries, frozenset(sorted(entries)[:2])
        wanted = {"PrefixListId": self.lists()[name]["PrefixListId"], "CurrentVersion": version}
        wanted |= {"AddEntries": cidrs(new), "RemoveEntries": cidrs(gone)}
        entry = (version + 1, entries - gone | new, tagged)
        return lambda: self.ec2.modify_managed_prefix_list(**wanted), self.with_entry(name, entry)

    changes = (modify,)

    def lists(self):
        return {one["PrefixListName"]: one for one in self.ec2.describe_managed_prefix_lists()["PrefixLists"]}

    def found(self):
        return {name: (one["Version"], self.entries(one), as_set(one["Tags"])) for name, one in self.lists().items()}

    def entries(self, one):
        shown = self.ec2.get_managed_prefix_list_entries(PrefixListId=one["PrefixListId"])["Entries"]
        return frozenset(entry["Cidr"] for entry in shown)


def cidrs(blocks):
    return [{"Cidr": block} for block in sorted(blocks)]


class Instances(Writer):
    """Book: the address, the state and the tags of each instance that is not terminated, by name."""

    def __init__(self, shop, seed):
        super().__init__(shop, seed)
        self.subnet = shop.subnets[0]
        self.addresses = [shop.elbow.network.free_host(0) for _ in range(self.THINGS_MAX + 1)]

    def create(self, name):
        address = next(one for one in self.addresses if one not in {entry[0] for entry in self.book.values()})
        wanted = {"MinCount": 1, "MaxCount": 1, "SubnetId": self.subnet, "PrivateIpAddress": address}
        wanted["TagSpecifications"] = named("instance", name)
        entry = (address, "running", as_set(wanted["TagSpecifications"][0]["Tags"]))
        return lambda: self.ec2.run_instances(**wanted), self.with_entry(name, entry)

    def delete(self, name):
        ids = [self.instances()[name]["InstanceId"]]
        return lambda: self.ec2.terminate_instances(InstanceIds=ids), self.without(name)

    def toggle(self, _):
        """Stops all that run at once, or starts all."""
        ids = [one["InstanceId"] for one in self.instances().values()]
        is_running = "running" in {state for _, state, _ in self.book.values()}
        call = self.ec2.stop_instances if is_running else self.ec2.start_instances
        state = "stopped" if is_running else "running"
        after = {name: (address, state, tagged) for name, (address, _, tagged) in self.book.items()}
        return lambda: call(InstanceIds=ids), after

    def tag(self, _):
        """Tags all of them in one call."""
        ids, new = [one["InstanceId"] for one in self.instances().values()], tags(f"new-{self.random.randrange(9)}")
        after = {name: (address, state, tagged | as_set(new)) for name, (address, state, tagged) in self.book.items()}
        return lambda: self.ec2.create_tags(Resources=ids, Tags=new), after

    changes = (toggle, tag)

    def instances(self):
        found = [one for it in self.ec2.describe_instances()["Reservations"] for one in it["Instances"]]
        return {name_of(one): one for one in found if one["State"]["Name"] != "terminated"}

    def found(self):
        return {
            name: (one["PrivateIpAddress"], one["State"]["Name"], as_set(one["Tags"]))
            for name, one in self.instances().items()
        }


class Shifts(Writer):
    """Book: the comment of the one zonal shift of a load balancer that there may be, and two of its attributes."""

    ZONE, NONE = "use1-az1", "no shift"
    KEYS = ("client_keep_alive.seconds", "idle_timeout.timeout_seconds")

    def __init__(self, shop, seed, balancer):
        super().__init__(shop, seed)
        self.client, self.arn = shop.elbow.client("arc-zonal-shift"), balancer["LoadBalancerArn"]
        self.write({"zonal_shift.config.enabled": "true"})
        self.book = self.found()

    def write(self, attributes):
        wanted = [{"Key": key, "Value": value} for key, value in attributes.items()]
        self.elbv2.modify_load_balancer_attributes(LoadBalancerArn=self.arn, Attributes=wanted)

    def next_change(self):
        number, comment = str(self.random.randrange(60, 900)), f"comment {self.random.randrange(10**6)}"
        if self.random.random() < 0.3:
            both = dict.fromkeys(self.KEYS, number)
            return lambda: self.write(both), self.book | both
        [shift] = self.shifts() or [None]
        if shift is None:
            wanted = {"resourceIdentifier": self.arn, "awayFrom": self.ZONE, "expiresIn": "20h", "comment": comment}
            return lambda: self.client.start_zonal_shift(**wanted), self.book | {"shift": comment}
        id = {"zonalShiftId": shift["zonalShiftId"]}
        if self.random.random() < 0.5:
            return lambda: self.client.cancel_zonal_shift(**id), self.book | {"shift": self.NONE}
        call = lambda: self.client.update_zonal_shift(**id, comment=comment, expiresIn="10h")
        return call, self.book | {"shift": comment}

    def shifts(self):
        return self.client.list_zonal_shifts(status="ACTIVE", resourceIdentifier=self.arn)["items"]

    def found(self):
        shown = self.elbv2.describe_load_balancer_attributes(LoadBalancerArn=self.arn)["Attributes"]
        [comment] = [one["comment"] for one in self.shifts()] or [self.NONE]
        return {one["Key"]: one["Value"] for one in shown if one["Key"] in self.KEYS} | {"shift": comment}

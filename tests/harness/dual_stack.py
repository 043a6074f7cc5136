"""IPv6 blocks for a VPC and its subnets, and load balancers of both families."""

BLOCK = "fd65:1:2:300::/56"
FIRST, SECOND = "fd65:1:2:301::", "fd65:1:2:302::"


def associate(shop):
    """Gives the VPC and its default subnets blocks."""
    shop.ec2.associate_vpc_cidr_block(VpcId=shop.vpc, Ipv6CidrBlock=BLOCK)
    for subnet, block in zip(shop.subnets, (FIRST, SECOND)):
        shop.ec2.associate_subnet_cidr_block(SubnetId=subnet, Ipv6CidrBlock=f"{block}/64")


def dualstack(shop, **options):
    """A load balancer with its addresses of both families: (description, IPv4, IPv6)."""
    balancer = shop.balancer(IpAddressType="dualstack", **options)
    return balancer, shop.addresses(balancer), shop.ipv6_addresses(balancer)

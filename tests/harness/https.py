"""HTTPS listeners and the clients that speak to them."""

from .http import Connection

PORT = 8443


def https_listener(shop, balancer, certificate, actions, port=PORT, **options):
    """An HTTPS listener; its ARN."""
    made = shop.elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=port,
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=actions,
        **options,
    )
    return made["Listeners"][0]["ListenerArn"]


class TlsConnection(Connection):
    """A client connection over TLS."""

    def __init__(self, address, port, context, name="shop.example", source=None, timeout=10):
        super().__init__(address, port, source=source, timeout=timeout)
        self._stream.close()
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname=name)
        except Exception:
            self.socket.close()
            raise
        self._stream = self.socket.makefile("rb")

    @property
    def shown(self):
        """The names of the certificate that the server showed."""
        return {value for kind, value in self.socket.getpeercert()["subjectAltName"]}

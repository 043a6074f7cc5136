"""Certificates of a test authority, and how elbow gets them."""

import datetime
import ssl

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization


class Authority:
    """A certificate authority of a test."""

    def __init__(self):
        self.ca = trustme.CA()

    @property
    def pem(self):
        return self.ca.cert_pem.bytes()

    def issue(self, *names, key_type=trustme.KeyType.ECDSA, **options):
        """A certificate for these names: (certificate, chain, private key), all PEM."""
        made = self.ca.issue_cert(*names, key_type=key_type, **options)
        certificate = made.cert_chain_pems[0].bytes()
        return certificate, self.pem, made.private_key_pem.bytes()

    def context(self, **options):
        """A client's TLS context that trusts this authority and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.pem.decode())
        for name, value in options.items():
            setattr(context, name, value)
        return context

    def revocation_list(self, *certificates):
        """A list of these certificates as revoked, PEM."""
        now = datetime.datetime.now(datetime.UTC)
        key = serialization.load_pem_private_key(self.ca.private_key_pem.bytes(), None)
        issuer = x509.load_pem_x509_certificate(self.pem).subject
        builder = x509.CertificateRevocationListBuilder().issuer_name(issuer)
        builder = builder.last_update(now - datetime.timedelta(days=1))
        builder = builder.next_update(now + datetime.timedelta(days=1))
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        builder = builder.add_extension(x509.CRLNumber(1), critical=False)
        builder = builder.add_extension(identifier, critical=False)
        for pem in certificates:
            serial = x509.load_pem_x509_certificate(pem).serial_number
            revoked = x509.RevokedCertificateBuilder().serial_number(serial)
            builder = builder.add_revoked_certificate(revoked.revocation_date(now).build())
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def server_context(directory, issued):
    """The TLS of a server that shows what `Authority.issue` gave."""
    certificate, _, key = issued
    (directory / "server.pem").write_bytes(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.pem")
    return context


def expired_context(directory):
    """The TLS of a server whose certificate nobody should trust: another authority, another name, expired."""
    long_ago = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    return server_context(directory, Authority().issue("elsewhere.example", not_after=long_ago))


def import_certificate(shop, issued, **options):
    """Imports what `Authority.issue` gave; the ARN of the certificate."""
    certificate, chain, key = issued
    acm = shop.elbow.client("acm")
    arn = acm.import_certificate(
        Certificate=certificate, CertificateChain=chain, PrivateKey=key, **options
    )["CertificateArn"]
    shop.undo(acm.delete_certificate, CertificateArn=arn)
    return arn

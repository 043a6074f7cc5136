"""The certificate that every TLS listener shows: self-signed, P-256."""

import ssl
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .processes import BenchError


@dataclass(frozen=True)
class Certificate:
    """Files in PEM form."""

    chain: Path
    key: Path
    # HAProxy reads the certificate and its key from one file.
    both: Path

    @cached_property
    def der(self):
        """The certificate as it is sent in a handshake."""
        return ssl.PEM_cert_to_DER_cert(self.chain.read_text())


def make_certificate(directory):
    """Makes the files with openssl, good for a month."""
    certificate = Certificate(directory / "chain.pem", directory / "key.pem", directory / "both.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-subj", "/CN=bench.example.com", "-addext", "subjectAltName=DNS:bench.example.com"]
    command += ["-days", "30", "-keyout", str(certificate.key), "-out", str(certificate.chain)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"openssl makes no certificate: {done.stderr}")
    certificate.both.write_text(certificate.chain.read_text() + certificate.key.read_text())
    return certificate

"""A client that keeps cookies."""

from http.cookies import SimpleCookie

from .http import Connection


class Browser:
    """Requests with the cookies of the answers before; one connection for each request."""

    def __init__(self, address, port):
        self.address, self.port, self.cookies = address, port, {}

    @property
    def field(self):
        """The header with all cookies."""
        return f"Cookie: {'; '.join(f'{k}={v}' for k, v in self.cookies.items())}"

    def get(self, path="/"):
        headers = [self.field] if self.cookies else ()
        with Connection(self.address, self.port) as connection:
            response = connection.request("GET", path, headers=headers)
        self.set = {}
        for name, value in response.fields:
            if name.lower() == "set-cookie":
                key, rest = value.split("=", 1)
                self.set[key] = SimpleCookie(f"x={rest}")["x"]
                self.cookies[key] = rest.split(";", 1)[0]
        return response.text

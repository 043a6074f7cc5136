// An identity provider for the login tests: node provider.mjs TLS_PEM REDIRECT_URI
// It prints its issuer, and ends when its standard input does.
import { createServer } from "node:https";
import { readFileSync } from "node:fs";
import Provider from "oidc-provider";

const [pem, redirectUri] = process.argv.slice(2);
const tls = readFileSync(pem);
const server = createServer({ key: tls, cert: tls });
server.listen(0, "127.0.0.1", () => {
  const issuer = `https://localhost:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "elbow",
        client_secret: "secret-of-elbow",
        token_endpoint_auth_method: "client_secret_basic",
        grant_types: ["authorization_code", "refresh_token"],
        redirect_uris: [redirectUri],
      },
    ],
    claims: { openid: ["sub"], email: ["email"] },
    cookies: { keys: ["login-tests"] },
    pkce: { required: () => false },
    findAccount: (_, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, email: `${id}@shop.example` }),
    }),
  });
  provider.on("server_error", (_, error) => console.error(error));
  server.on("request", provider.callback());
  console.log(issuer);
});
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));

import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from "jose";

/** A key pair, as whoever signs sessions has it. */
export type SigningKey = { kid: string; alg: string; privateKey: CryptoKey; publicKey: CryptoKey };

export async function signingKey(kid: string, alg: string): Promise<SigningKey> {
  return { kid, alg, ...(await generateKeyPair(alg, { extractable: true })) };
}

/** An address that publishes keys (JWKS), well or badly. */
export type JwksServer = {
  url: URL;
  published: SigningKey[];
  /** Published beside the good keys. */
  unusable: JWK[];
  answers: "well" | "503" | "rubbish" | "endless" | "slow" | "moved" | "no keys";
  /** How often it was asked. */
  fetches: number;
  /** How much an endless answer brought. */
  sentBytes: number;
  close(): Promise<void>;
};

/** Starts one that answers well, with no keys yet. */
export async function startJwksServer(): Promise<JwksServer> {
  const server = createServer(({ url }, response) => {
    jwks.fetches += 1;
    answer(jwks, url === "/moved", response);
  });
  const jwks: JwksServer = {
    url: new URL("http://127.0.0.1/jwks"),
    published: [],
    unusable: [],
    answers: "well",
    fetches: 0,
    sentBytes: 0,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  jwks.url.port = String((server.address() as AddressInfo).port);
  return jwks;
}

function answer(jwks: JwksServer, isMoved: boolean, response: ServerResponse): void {
  const { answers } = jwks;
  if (answers === "endless") endless(jwks, response);
  else if (answers === "slow") response.write('{"keys":[');
  else if (answers === "no keys") response.end('{"keys":[1]}');
  else if (answers === "moved" && !isMoved) response.writeHead(302, { location: "/moved" }).end();
  else if (answers === "503") response.writeHead(503).end("<h1>down</h1>");
  else if (answers === "rubbish") response.end("<h1>sign in</h1>");
  else void publish(jwks, response);
}

async function publish({ published, unusable }: JwksServer, response: ServerResponse): Promise<void> {
  const good = published.map(async ({ kid, alg, publicKey }) => ({
    ...(await exportJWK(publicKey)),
    kid,
    alg,
    use: "sig",
  }));
  const keys = [...(await Promise.all(good)), ...unusable];
  response.setHeader("content-type", "application/json").end(JSON.stringify({ keys }));
}

/** Spaces, until somebody has had enough of them. */
function endless(jwks: JwksServer, response: ServerResponse): void {
  jwks.sentBytes = 0;
  const space = Buffer.alloc(65_536, " ");
  const more = () => {
    while (!response.destroyed) {
      jwks.sentBytes += space.length;
      if (!response.write(space)) break;
    }
  };
  response.on("drain", more);
  more();
}

interface Asked {
  status: number;
  body: unknown;
}

/** One request by plain fetch, with the token unless `headers` brings another authorization. */
export async function ask(
  bridge: { url: string; token: string },
  path: string,
  init: RequestInit = {},
): Promise<Asked> {
  const headers = new Headers(init.headers);
  if (!headers.has("authorization")) headers.set("authorization", `Bearer ${bridge.token}`);
  const response = await fetch(`${bridge.url}${path}`, { ...init, headers });
  return { status: response.status, body: await response.json() };
}

/** One POST of JSON. */
export function post(bridge: { url: string; token: string }, path: string, body: unknown): Promise<Asked> {
  return ask(bridge, path, { method: "POST", body: JSON.stringify(body) });
}

// Of libpq's variables those that say how to trust a server, and a password that is not to be in a URL.
const LIBPQ_VARIABLES = {
  PGSSLMODE: "sslmode",
  PGSSLROOTCERT: "sslrootcert",
  PGSSLCERT: "sslcert",
  PGSSLKEY: "sslkey",
  PGPASSWORD: "password",
};

/** Adds to DATABASE_URL what it does not say itself, so that it alone tells everyone how to connect. */
export function withLibpqVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const url = env["DATABASE_URL"];
  if (url === undefined) return env;
  const hasPassword = /^\w+:\/\/[^/?@]*:[^/?@]*@/.test(url);
  const added = Object.entries(LIBPQ_VARIABLES).flatMap(([variable, name]) => {
    const isSaid = new RegExp(`[?&]${name}=`).test(url) || (name === "password" && hasPassword);
    return env[variable] && !isSaid ? [`${name}=${encodeURIComponent(env[variable])}`] : [];
  });
  if (added.length === 0) return env;
  return { ...env, DATABASE_URL: [url, added.join("&")].join(url.includes("?") ? "&" : "?") };
}

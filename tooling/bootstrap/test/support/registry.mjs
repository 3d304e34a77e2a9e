import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { put } from "./checkout.mjs";

/** A registry on loopback that has one package with these files, for npm to fetch from. */
export async function registryOf(name, version, files) {
  const folder = mkdtempSync(join(tmpdir(), "usage-stats-registry-"));
  for (const [path, content] of Object.entries(files)) {
    put(folder, join("package", path), content);
    chmodSync(join(folder, "package", path), 0o755);
  }
  execFileSync("tar", ["-czf", join(folder, "package.tgz"), "-C", folder, "package"]);
  const tarball = readFileSync(join(folder, "package.tgz"));
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const server = createServer((request, response) => {
    if (request.url.endsWith(".tgz")) return response.end(tarball);
    const manifest = { name, version, dist: { integrity, tarball: `${url}/package.tgz` } };
    return response.end(
      JSON.stringify({ name, "dist-tags": { latest: version }, versions: { [version]: manifest } }),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  });
  return { integrity, env: { npm_config_registry: url, npm_config_cache: join(folder, "cache") } };
}

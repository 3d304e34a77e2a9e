import { type Duplex } from "node:stream";
import { Client, type ClientConfig } from "pg";
import { type ConnectionTarget, connectionTarget } from "./connection-target.ts";
import { prepareSession, type SessionNeeds } from "./prepare-session.ts";

export type ConnectionSettings = {
  url: string;
  /** Begins with "usage-stats", which DATABASE_URL may replace. */
  applicationName: string;
  connectTimeoutMs?: number | undefined;
  statementTimeoutMs?: number | undefined;
  queryTimeoutMs?: number | undefined;
  lockTimeoutMs?: number | undefined;
  idleInTransactionTimeoutMs?: number | undefined;
  /** The socket to be used, for who has to end it where nothing answers. */
  stream?: () => Duplex;
};

/** What node-pg is told, and what a session is set to; `null` to leave it as it is. */
export type DatabaseClientConfig = ClientConfig & { session: SessionNeeds | null };

/** Configures a connection, in this one place: for pools, the listener, locks and the command line. */
export function clientConfig(
  settings: ConnectionSettings,
  target: ConnectionTarget = connectionTarget(settings.url),
): DatabaseClientConfig & { session: SessionNeeds } {
  const { host, port, user, password, database, tls, keepAliveMs, enableChannelBinding } = target;
  const timeouts = [settings.connectTimeoutMs, target.connectTimeoutMs].filter((ms) => ms !== undefined);
  return {
    host,
    port,
    user,
    database,
    // A function keeps node-pg from looking for another in PGPASSWORD and ~/.pgpass where this one is empty.
    password: () => password,
    ssl: tls.ssl,
    sslnegotiation: tls.sslnegotiation,
    enableChannelBinding,
    application_name: settings.applicationName.replace(/^usage-stats/, target.applicationName ?? "$&"),
    keepAlive: keepAliveMs !== null,
    keepAliveInitialDelayMillis: keepAliveMs ?? 0,
    ...(timeouts.length > 0 && { connectionTimeoutMillis: Math.min(...timeouts) }),
    ...(settings.stream !== undefined && { stream: settings.stream }),
    ...(settings.queryTimeoutMs !== undefined && { query_timeout: settings.queryTimeoutMs }),
    session: {
      settings: target.session,
      mustWrite: target.mustWrite,
      statementTimeoutMs: settings.statementTimeoutMs ?? 0,
      lockTimeoutMs: settings.lockTimeoutMs ?? 0,
      idleInTransactionTimeoutMs: settings.idleInTransactionTimeoutMs ?? 0,
    },
  };
}

/** node-pg's client, whose session is set up once it is connected, and which is deaf to the PG… variables of the environment. */
export class DatabaseClient extends Client {
  readonly #session: SessionNeeds | null;

  constructor(config: DatabaseClientConfig) {
    super(config);
    this.#session = config.session;
    // Whoever waits for an answer is told by it; an event that nobody listens for would end the process.
    this.on("error", () => {});
    const { connectionParameters } = this as unknown as {
      connectionParameters: { options: unknown; replication: unknown };
    };
    connectionParameters.options = undefined;
    connectionParameters.replication = undefined;
  }

  override connect(): Promise<this>;
  override connect(callback: ((error: Error) => void) | ((error: null, client: Client) => void)): void;
  override connect(callback?: (error: never, client: never) => void): Promise<this> | void {
    const connecting = this.#connect();
    if (callback === undefined) return connecting;
    const tell = callback as (error: unknown, client?: Client) => void;
    connecting.then(
      () => tell(null, this),
      (error: unknown) => tell(error),
    );
  }

  async #connect(): Promise<this> {
    await super.connect();
    try {
      if (this.#session !== null) await prepareSession(this, this.#session);
    } catch (error) {
      await this.end();
      throw error;
    }
    return this;
  }
}

/** Makes a connection by itself, not yet connected. */
export function createClient(settings: ConnectionSettings): DatabaseClient {
  return new DatabaseClient(clientConfig(settings));
}

import { type Scope } from "./scope.ts";

/** A machine's key, without what it is checked against. It is good until it expires or is revoked. */
export type ApiKey = {
  id: string;
  /** What people call it. */
  name: string;
  scopes: readonly Scope[];
  /** The user that it speaks for; `null` for none. */
  userDid: string | null;
  createdAt: Date;
  /** The subject of whoever made it. */
  createdBy: string;
  expiresAt: Date | null;
  /** To about a minute. */
  lastUsedAt: Date | null;
  revokedAt: Date | null;
};

/** SHA-256 of secrets, in hexadecimal: a secret of 256 random bits needs no slow hash. */
export type KeyHashes = {
  current: string;
  /** The one before the last rotation, and until when it is still good. */
  previous: { hash: string; until: Date } | null;
};

/** Something an admin did, for the record. */
export type AdminAction = {
  at: Date;
  /** The subject of whoever did it. */
  actor: string;
  action: string;
  /** What it was done to. */
  target: string;
  details: Record<string, unknown>;
  requestId: string | null;
};

/** Keeps API keys. Each change is recorded together with itself, or not made. Throws `unavailable`. */
export type ApiKeyStore = {
  insert(key: ApiKey, hashes: KeyHashes, action: AdminAction): Promise<void>;
  /** A key in whatever state. */
  find(id: string): Promise<{ key: ApiKey; hashes: KeyHashes } | null>;
  /** What keys that are not revoked are checked against, by their ids. */
  hashes(): Promise<ReadonlyMap<string, KeyHashes>>;
  /** Every key, newest first. */
  list(): Promise<ApiKey[]>;
  /**
   * Changes a key that is not revoked and whose secret has the hash `from`; gives it as it is then, or `null` where there is none. Throws
   * `conflict` where it has another secret by now.
   */
  rotate(id: string, from: string, hashes: KeyHashes, action: AdminAction): Promise<ApiKey | null>;
  /** Gives the key as it is then, also where it was revoked before; `null` where there is none. */
  revoke(id: string, action: AdminAction): Promise<ApiKey | null>;
  /** Notes that a key was used. */
  touch(id: string, at: Date): Promise<void>;
};

/** The record of what admins do that is no change of a key. Throws `unavailable`. */
export type AuditLog = { record(action: AdminAction): Promise<void> };

/** Gives the secret that signs viewer tokens, the same for every server of a database. Throws `unavailable`. */
export type ViewerSecret = () => Promise<string>;

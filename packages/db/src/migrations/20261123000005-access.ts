import { Migration } from "@mikro-orm/migrations";

/**
 * API keys, of which only hashes are kept; secrets that all servers share; the record of what admins do. A change of a key is
 * announced, so that no server goes on knowing a key that was revoked (`NOTIFY usage_stats_keys` with its id).
 */
export class Access extends Migration {
  override up(): void {
    this.addSql(`
      create table api_keys (
        id text not null,
        name text not null,
        scopes text[] not null,
        user_did text,
        secret_hash text not null,
        previous_secret_hash text,
        previous_until timestamptz,
        created_at timestamptz not null,
        created_by text not null,
        expires_at timestamptz,
        last_used_at timestamptz,
        revoked_at timestamptz,
        constraint api_keys_pkey primary key (id)
      )`);
    this.addSql(`
      create table server_secrets (
        name text not null,
        secret text not null,
        constraint server_secrets_pkey primary key (name)
      )`);
    this.addSql(`
      create table admin_actions (
        id bigserial,
        at timestamptz not null,
        actor text not null,
        action text not null,
        target text not null,
        details jsonb not null,
        request_id text,
        constraint admin_actions_pkey primary key (id)
      )`);
    this.addSql(`
      create function announce_api_key_change() returns trigger language plpgsql as $$
      begin
        perform pg_notify('usage_stats_keys', old.id);
        return null;
      end $$`);
    // Being used is no change.
    this.addSql(`
      create trigger announce_change
        after delete or update of id, scopes, user_did, secret_hash, previous_secret_hash, previous_until, expires_at, revoked_at on api_keys
        for each row execute function announce_api_key_change()`);
  }

  override down(): void {
    for (const table of ["admin_actions", "server_secrets", "api_keys"]) this.addSql(`drop table ${table}`);
    this.addSql(`drop function announce_api_key_change()`);
  }
}

/** Gives whoever has rights on some tables, besides their owner, the same rights on others. */
export function grantAlike(from: readonly string[], to: readonly string[], rights = ""): string {
  const tables = (names: readonly string[]) => names.map((name) => `'${name}'::regclass`).join(", ");
  const only = rights === "" ? "" : `and privilege_type in (${rights})`;
  return `do $$ declare held record; begin
      for held in select distinct privilege_type, grantee, is_grantable, target::regclass as target
                    from pg_class cross join lateral aclexplode(relacl) cross join unnest(array[${tables(to)}]) as target
                   where oid in (${tables(from)}) and grantee <> relowner ${only} loop
        execute format('grant %s on %s to %s', held.privilege_type, held.target,
          case when held.grantee = 0 then 'public' else held.grantee::regrole::text end || case when held.is_grantable then ' with grant option' else '' end);
      end loop;
    end $$`;
}

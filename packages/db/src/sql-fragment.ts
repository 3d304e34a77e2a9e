/** A piece of SQL with a `?` for each of its parameters. */
export type Sql = { sql: string; params: unknown[] };

/** Puts SQL together: a fragment in `${}` is inlined with its parameters, anything else becomes a parameter. */
export function sql(strings: TemplateStringsArray, ...values: unknown[]): Sql {
  const params: unknown[] = [];
  const text = strings.reduce((before, string, i) => {
    const value = values[i - 1];
    if (!isSql(value)) {
      params.push(value);
      return `${before}?${string}`;
    }
    params.push(...value.params);
    return before + value.sql + string;
  });
  return { sql: text, params };
}

/** Text that is trusted because it is ours: a name of a column or a table, a list of them. */
export function trusted(text: string): Sql {
  return { sql: text, params: [] };
}

export function join(fragments: readonly Sql[], separator: string): Sql {
  return {
    sql: fragments.map((fragment) => fragment.sql).join(separator),
    params: fragments.flatMap((fragment) => fragment.params),
  };
}

function isSql(value: unknown): value is Sql {
  return typeof value === "object" && value !== null && "sql" in value && "params" in value;
}

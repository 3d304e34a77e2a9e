import { type ClientBase } from "pg";

// One after the other twice, then in turns: a pooler that hands out its servers last in first out gives both clients the same,
// one that goes round gives one client two.
const TURNS = [0, 0, 1, 1, 0, 1, 0, 1] as const;

/** Says whether two connections, by what server process answers, are not two sessions: a pooler lends sessions out by transaction or statement. */
export async function findTransactionPooling(...clients: [ClientBase, ClientBase]): Promise<boolean> {
  const sessions = [new Set<string>(), new Set<string>()] as const;
  for (const turn of TURNS) sessions[turn].add(await backendOf(clients[turn]));
  return sessions[0].size > 1 || sessions[1].size > 1 || !sessions[0].isDisjointFrom(sessions[1]);
}

async function backendOf(client: ClientBase): Promise<string> {
  const { rows } = await client.query<{ session: string }>(
    `select pid || ' ' || extract(epoch from backend_start) as session from pg_stat_get_activity(pg_backend_pid())`,
  );
  return rows[0]!.session;
}

import { type AdminAction } from "@usage-stats/core";
import { type Identity } from "@usage-stats/identity";

/** Who does something, for the record. `requestId` is `null` for what was asked for on the command line. */
export type Actor = { subject: string; requestId: string | null };

export function actorOf({ identity, requestId }: { identity: Identity; requestId: string }): Actor {
  return { subject: identity.subject, requestId };
}

/** An entry for the record of what admins do. */
export function actionOf(
  actor: Actor,
  at: Date,
  action: string,
  target: string,
  details: Record<string, unknown> = {},
): AdminAction {
  return { at, actor: actor.subject, action, target, details, requestId: actor.requestId };
}

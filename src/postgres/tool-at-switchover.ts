import { one, rows, type Client } from './client.ts';

/**
 * Writes down that a tool is about to write on this candidate, durably before it does: it commits by itself, and where
 * the commit point is not reached nobody takes that back. `stream` names the candidate: a copy of it is another's.
 */
export async function markTool(client: Client, stream: string): Promise<void> {
  await client.query('INSERT INTO verdigris.tool_at_switchover (stream) VALUES ($1) ON CONFLICT DO NOTHING', [stream]);
}

/** When a tool began to write on this candidate in a switchover; undefined where none has. */
export async function toolBegan(client: Client, stream: string): Promise<Date | undefined> {
  // A colour that an earlier version made lacks it.
  const { known } = await one<{ known: boolean }>(
    client,
    "SELECT to_regclass('verdigris.tool_at_switchover') IS NOT NULL AS known",
  );
  if (!known) return undefined;
  const [found] = await rows<{ at: Date }>(client, 'SELECT at FROM verdigris.tool_at_switchover WHERE stream = $1', [
    stream,
  ]);
  return found?.at;
}

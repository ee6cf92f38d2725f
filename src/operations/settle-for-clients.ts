import { withOperator } from './operator.ts';

/** Settles what an interrupted command left, as far as clients need it, and lets them go. */
export async function settleForClients(parts: Parameters<typeof withOperator>[0]): Promise<void> {
  await withOperator(parts, 'recover', async (c) => {
    // A hold that no operation in the journal accounts for: its operator died before writing anything, or after closing
    // it.
    const { held } = await c.platform.traffic.status();
    if (held && c.journal.operation === null) await c.platform.traffic.resume(c.ledger.token);
  });
}

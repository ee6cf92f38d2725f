import { one, type Client } from './client.ts';

/**
 * Runs `copy` in backup mode (PostgreSQL docs, 26.3.3 "Making a Base Backup Using the Low Level API") and returns the
 * backup_label.
 */
export async function withBackupMode(
  client: Client,
  name: string,
  copy: () => Promise<void>,
): Promise<{ label: string }> {
  await client.query('SELECT pg_backup_start($1, true)', [name]);
  try {
    await copy();
  } catch (error) {
    await client.query('SELECT pg_backup_stop(false)').catch(() => undefined);
    throw error;
  }
  const { label } = await one<{ label: string }>(client, 'SELECT labelfile AS label FROM pg_backup_stop(false)');
  return { label };
}

import { rows } from '../client.ts';
import { everyGate, found, type Check } from './check.ts';

/**
 * A slot that nobody reads for longer than this is invalidated at the next checkpoint. PostgreSQL 18 is the first that
 * has it; a session cannot change it for itself. Docs: "Replication / Sending Servers", idle_replication_slot_timeout.
 */
export const slotIdleTimeoutCheck: Check = {
  id: 'slot-idle-timeout',
  hazards: [21],
  title: 'limit for slots that nobody reads',
  on: 'both',
  when: everyGate,
  findings: ['slot-idle-timeout'],
  run: async (client, { side }) => {
    const set = await rows<{ limit: string }>(
      client,
      "SELECT current_setting(name) AS limit FROM pg_settings WHERE name = 'idle_replication_slot_timeout' AND setting <> '0'",
    );
    return found('slot-idle-timeout', {
      objects: set.map(({ limit }) => `idle_replication_slot_timeout = ${limit}`),
      reason:
        side === 'live'
          ? 'The slot of the release has no reader while the candidate is copied, or is down: if it is invalidated, the candidate ' +
            'cannot catch up.'
          : 'After the switchover the slot for reverse replication is here, and has no reader while the retained colour is down: if it is ' +
            'invalidated, no rollback is lossless.',
    });
  },
};

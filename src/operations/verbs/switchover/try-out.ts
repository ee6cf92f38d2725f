import { findingsInEach } from '../../engine/each.ts';
import { requireNone } from '../../engine/gates.ts';
import type { Step } from '../../engine/operation.ts';
import { usableFindings } from '../../gates/usable.ts';

/** The last moment at which a failure is only that. */
export const tryOut: Step = {
  id: 'try-out',
  title: 'try everything that is needed behind the commit point',
  why: 'every password, console, route, right and way there, from where it will be used: clients would wait for the one that fails',
  risk: 'none: what cannot be used ends the switchover here',
  async run(c) {
    requireNone(
      c.journal.operation?.verb ?? 'switch',
      await findingsInEach(c, (inside) => usableFindings(inside, { carried: true, wayBack: true })),
    );
  },
};

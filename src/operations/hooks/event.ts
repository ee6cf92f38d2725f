import type { HookMoment } from '../../model/hooks.ts';
import type { Journal } from '../../model/journal.ts';

/** A CloudEvent 1.0 in its JSON form. */
export interface HookEvent {
  readonly specversion: '1.0';
  /** The same each time that it is delivered: by it a receiver knows what it has had. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: {
    readonly environment: string;
    readonly verb: string;
    readonly step?: string | undefined;
    readonly moment: HookMoment;
    readonly severity: 'info' | 'error';
    readonly state: string;
    readonly live: string;
    readonly liveRelease: string;
    readonly release?: { readonly from: string; readonly to: string } | undefined;
    readonly pauseMs?: number | undefined;
    /** Of a release that walks by itself: what an approval names, and where a step failed, why and what follows. */
    readonly delivery?:
      { readonly step: string; readonly digest: string; readonly why?: string; readonly follow?: string } | undefined;
    readonly error?: { readonly id: string; readonly seen: string; readonly next: string } | undefined;
  };
}

/** `attempt`: when the operation began, as the journal says it. */
export function eventOf(
  journal: Journal,
  hook: string,
  moment: HookMoment,
  at: { readonly verb: string; readonly step?: string | undefined; readonly attempt: string },
  error?: HookEvent['data']['error'],
): HookEvent {
  const { environment, uid = environment, state, live, liveRelease, release } = journal;
  const { verb, step, attempt } = at;
  const path = step === undefined ? verb : `${verb}/${step}`;
  return {
    specversion: '1.0',
    id: `${uid}/${attempt}/${path}/${moment}/${hook}`,
    source: `/verdigris/${environment}`,
    type: `dev.verdigris.${moment}.${path.replace('/', '.')}`,
    subject: release ? `release ${release.from} to ${release.to}` : `release ${liveRelease}`,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: {
      environment,
      verb,
      step,
      moment,
      severity: moment === 'failed' ? 'error' : 'info',
      state,
      live,
      liveRelease,
      release: release ? { from: release.from, to: release.to } : undefined,
      pauseMs: moment === 'after' && (verb === 'switch' || verb === 'rollback') ? release?.pauseMs : undefined,
      delivery: deliveryOf(journal),
      error,
    },
  };
}

function deliveryOf({ delivery: record }: Journal): HookEvent['data']['delivery'] {
  if (!record || record.ended) return undefined;
  const { step, digest, stopped } = record;
  return {
    step: stopped?.step ?? step.text,
    digest,
    ...(stopped ? { why: stopped.why, follow: stopped.follow } : {}),
  };
}

/** One line for people. */
export function messageOf({ subject, data }: HookEvent): string {
  const { environment, verb, step, moment, live, liveRelease, pauseMs, error, delivery } = data;
  const what = step === undefined ? verb : `${verb}, step ${step}`;
  const head = `${environment}, ${subject}`;
  if (moment === 'failed')
    return `:red_circle: ${head}: ${what} failed. ${error?.seen ?? ''} Next: ${error?.next ?? ''}`;
  if (verb === 'approve')
    return `:large_blue_circle: ${head}: waits for \`verdigris approve\`, digest ${delivery?.digest}`;
  if (moment === 'before') return `:large_blue_circle: ${head}: ${what} begins`;
  const pause = pauseMs === undefined ? '' : `; writes paused for ${pauseMs} ms`;
  const why = delivery?.why === undefined ? '' : `; "${delivery.step}" had failed: ${delivery.why}`;
  return `:white_check_mark: ${head}: ${what} is done; ${live} is live with release ${liveRelease}${pause}${why}`;
}

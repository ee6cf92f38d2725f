import path from 'node:path';
import type { Colour } from '../../model/colours.ts';
import { count } from '../../model/count.ts';
import type { Environment } from '../../model/environment.ts';
import { when } from '../../model/when.ts';
import type { ShutOut } from '../../postgres/shut-out.ts';
import { abandonIt, recoverIt, startOf } from './repairs.ts';
import { replicationTroubles } from './replication-troubles.ts';
import type { Status, Trouble } from './status-types.ts';

/** Of a disk: below this share WAL of a few minutes may be more than there is. */
export const scarce = 0.1;

/**
 * All that is not as the state promises, the worst for clients and data first. Pure: from what was just seen, and not
 * from the journal's word.
 */
export function troublesOf(status: Omit<Status, 'troubles'>, limits: Environment['limits']): Trouble[] {
  return [
    ...ofReadOnlyDisks(status),
    ...ofClients(status, limits),
    ...ofColours(status),
    ...replicationTroubles(status, limits),
    ...ofFullDisks(status),
    ...status.refusals,
    ...ofProofs(status),
    ...ofCanary(status),
    ...ofPasswords(status),
  ];
}

/** Before all else: what is down there does not come back, and no other repair can be written down. */
function ofReadOnlyDisks({ disks = [], platform }: Omit<Status, 'troubles'>): Trouble[] {
  const places = disks.filter(({ readOnly }) => readOnly).map(({ place }) => place);
  if (places.length === 0) return [];
  return [
    {
      id: 'disk-read-only',
      seen: `the disk of ${places.join(', ')} is mounted read-only`,
      repair: `\`dmesg\` says why; mount it writable, then ${startOf(platform)}`,
    },
  ];
}

function ofClients(
  { traffic, operation, operator, live, platform }: Omit<Status, 'troubles'>,
  limits: Environment['limits'],
) {
  const found: Trouble[] = [];
  if (traffic.held && heldTooLong(traffic.held.since, operator !== undefined, limits.switchover)) {
    const { since } = traffic.held;
    const seen =
      since === undefined ? 'clients are held, by nobody who noted it' : `clients have been held since ${when(since)}`;
    found.push({ id: 'clients-held', seen, repair: recoverIt });
  }
  if (!traffic.running)
    found.push({
      id: 'path-down',
      seen: `the clients' path is down: ${traffic.trouble?.seen ?? 'nobody gets in'}`,
      repair: traffic.trouble?.repair ?? startOf(platform),
    });
  else if (traffic.trouble)
    found.push({
      id: 'path-unknown',
      seen: `unknown: the clients' path could not be asked: ${traffic.trouble.seen}`,
      repair: traffic.trouble.repair,
    });
  if (operation && !operator)
    found.push({
      id: 'interrupted',
      seen: `${operation.verb} was interrupted at ${operation.step ?? 'its beginning'}`,
      repair: recoverIt,
    });
  if (!operation && traffic.live !== undefined && traffic.live !== live)
    found.push({
      id: 'route-differs',
      seen: `writes are led to ${traffic.live}, ${live} is live`,
      repair: recoverIt,
    });
  return found;
}

/** How long is not known where nobody noted it, and where the clock was set back meanwhile: then it is too long once nobody is at work. */
function heldTooLong(since: string | undefined, atWork: boolean, limit: number): boolean {
  const heldFor = since === undefined ? -1 : Date.now() - Date.parse(since);
  return heldFor > limit || (heldFor < 0 && !atWork);
}

function ofColours(status: Omit<Status, 'troubles'>): Trouble[] {
  const { colours, operation, live, state, retained, platform } = status;
  const found: Trouble[] = [];
  if (!colours.some(({ colour, role }) => colour === live && role !== 'absent'))
    found.push({
      id: 'live-gone',
      seen: isElsewhere(colours, live) ? forgotten(live, 'live') : `${live} is live and its data is not there`,
      repair: repairOfLoss(state, live, colours, platform),
    });
  const absent = colours.find(({ role, colour }) => role === 'absent' && colour !== live);
  const second = state === 'switched' ? 'retained colour' : 'candidate';
  if (state !== 'single' && absent && !operation)
    found.push(
      absent.elsewhere
        ? { id: 'other-gone', seen: forgotten(absent.colour, second), repair: startOf(platform) }
        : {
            id: 'other-gone',
            seen: `the ${second} is gone`,
            repair: state === 'switched' ? '`verdigris retire`' : `${abandonIt}, then seed again`,
          },
    );
  for (const { colour, role, running, error, fenced, ownSchema, shutOut = [] } of colours) {
    if (role === 'absent') continue;
    const rests = role === 'retained' && retained?.mode === 'scaled-down';
    const comesOrGoes = role !== 'live' && isBeing(status, 'made or removed');
    if (!running && !rests && !comesOrGoes)
      found.push({ id: 'server-down', seen: `${colour} (${role}) is down`, repair: startOf(platform) });
    if (error !== undefined && !comesOrGoes && !isBeing(status, 'fenced'))
      found.push({
        id: 'unknown-colour',
        seen: `unknown: ${colour} (${role}) could not be asked: ${error}`,
        repair: repairOfSilence(colour, error, platform),
      });
    if (!operation && role === 'live' && fenced === 0 && shutOut.length > 0)
      found.push({
        id: 'roles-shut-out',
        seen: `nobody can log in on ${colour} (live) as ${shutOut.map(({ role }) => role).join(', ')}: ${closedBy(shutOut)}`,
        repair: openTo(colour, shutOut),
      });
    // An operation that is open may not have made the other one's yet.
    if (ownSchema === false && (role === 'live' || (!operation && state !== 'single')))
      found.push({
        id: 'own-schema-gone',
        seen: `the schema verdigris of ${colour} (${role}) is gone, or a table of it`,
        repair:
          role === 'live' ? recoverIt : role === 'retained' ? '`verdigris retire`' : `${abandonIt}, then seed again`,
      });
    if (operation || fenced === undefined) continue;
    if (role === 'live' && fenced > 0)
      found.push({
        id: 'live-fenced',
        seen: `${colour} is live and closed to ${count(fenced, 'role')}`,
        repair: recoverIt,
      });
    if (role !== 'live' && fenced === 0)
      found.push({
        id: 'two-open',
        seen: `${colour} (${role}) is closed to nobody: writes made there are lost or collide`,
        repair: '`verdigris explain journal-older`, before anything else',
      });
  }
  return found;
}

/** What an operator who is at work does to the colour that is not live, or to sessions of both; whoever died is named. */
const work: Readonly<Record<'made or removed' | 'fenced', ReadonlySet<string>>> = {
  'made or removed': new Set(['seed', 'abandon', 'retire']),
  fenced: new Set(['switch', 'rollback']),
};

function isBeing({ operation, operator }: Pick<Status, 'operation' | 'operator'>, what: keyof typeof work): boolean {
  return operation !== undefined && operator !== undefined && work[what].has(operation.verb);
}

/** Whatever else is done first makes it worse: a colour that is there is the only one that has the data. */
function repairOfLoss(
  state: Status['state'],
  live: Colour,
  colours: Status['colours'],
  platform: Status['platform'],
): string {
  if (isElsewhere(colours, live)) return startOf(platform);
  const put = platform === 'local' ? `put its data directory back, then ${startOf(platform)}` : 'put its volume back';
  const explained = '`verdigris explain live-volume-gone`';
  const second = colours.find(({ colour, role }) => colour !== live && role !== 'absent');
  const left =
    state === 'switched' && second
      ? `; ${second.colour} has what replication brought it by then, and \`verdigris rollback --lossy\` goes back to it`
      : '';
  return `${put} (${explained})${left}`;
}

function isElsewhere(colours: Status['colours'], colour: Colour): boolean {
  return colours.some((each) => each.colour === colour && each.elsewhere === true);
}

/** Its data is where it was: what others run is not removed from here. */
function forgotten(colour: Colour, role: string): string {
  return `the file in which Verdigris keeps that a server of others is ${colour} (${role}) is gone`;
}

function closedBy([first]: readonly ShutOut[]): string {
  if (first?.rule === undefined) return 'NOLOGIN';
  return first.rule === null
    ? 'no line of pg_hba.conf lets it in'
    : `line ${first.rule.line} of ${path.basename(first.rule.file)} rejects it`;
}

function openTo(colour: Colour, shutOut: readonly ShutOut[]): string {
  const run = (sql: string): string => `\`verdigris psql ${colour} -c '${sql}'\``;
  const [first] = shutOut.filter(({ rule }) => rule !== undefined);
  if (!first) return run(shutOut.map(({ role }) => `ALTER ROLE "${role}" LOGIN`).join('; '));
  const edit = first.rule ? `take line ${first.rule.line} out of ${first.rule.file}` : 'add a line that does';
  return `${edit}, then ${run('SELECT pg_reload_conf()')}`;
}

/** A server that runs and lets nobody in is opened by `start`; why another one is silent its log says. */
function repairOfSilence(colour: Colour, error: string, platform: Status['platform']): string {
  const ours = platform === 'local' && /pg_hba\.conf|ENOENT/.test(error);
  return ours ? startOf(platform) : `\`verdigris logs --colour ${colour}\``;
}

function ofFullDisks({ disks = [], state }: Omit<Status, 'troubles'>): Trouble[] {
  const freed =
    state === 'single' || state === 'switched' ? '' : `${abandonIt}, which frees what the candidate takes; or `;
  return disks
    .filter(({ free, total }) => free < scarce * total)
    .map(({ place, free, total }) => ({
      id: 'disk-full',
      seen: `${Math.floor((100 * free) / total)} % of the disk of ${place} is left`,
      repair: `${freed}free space there`,
    }));
}

function ofProofs({ proof }: Omit<Status, 'troubles'>): Trouble[] {
  if (proof === undefined || proof.good) return [];
  return [{ id: 'proof-void', seen: proof.seen, repair: '`verdigris verify`' }];
}

/** A verify that failed has taken the readers back, as one that ends well does. */
function ofCanary({ state, operation, traffic, delivery }: Omit<Status, 'troubles'>): Trouble[] {
  // A release that was stopped waits for a person to resume it.
  if (state !== 'canary' || operation || traffic.canary !== 0 || delivery?.stopped) return [];
  const seen = 'no reader is led to the candidate: they were taken back';
  return [{ id: 'canary-withdrawn', seen, repair: '`verdigris canary`' }];
}

function ofPasswords({ credentials }: Omit<Status, 'troubles'>): Trouble[] {
  const old = credentials.filter((each) => each.old);
  if (old.length === 0) return [];
  return [
    {
      id: 'credential-old',
      seen: `passwords are older than credentials.maxAge: ${old.map(({ role }) => role).join(', ')}`,
      repair: `\`verdigris rotate ${old.map(({ role }) => role).join(' ')}\``,
    },
  ];
}

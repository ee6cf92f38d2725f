import { rows, type Client } from '../client.ts';
import { ident } from '../quote.ts';
import { foreignRole, globalFinding, type GlobalFinding } from './globals-finding.ts';
import { SecretStatement } from './secret.ts';

interface Membership {
  readonly role: string;
  readonly member: string;
  readonly admin: boolean;
  /** From PostgreSQL 16; null before, and then not compared. */
  readonly inherit: boolean | null;
  readonly set: boolean | null;
}

/** Who is a member of what, of `members` alone. */
export async function membershipDifferences(
  live: Client,
  candidate: Client,
  members: ReadonlySet<string>,
): Promise<GlobalFinding[]> {
  const read = async (client: Client) => (await readMemberships(client)).filter(({ member }) => members.has(member));
  const [left, right] = [await read(live), await read(candidate)];
  const same = (a: Membership, b: Membership) => a.role === b.role && a.member === b.member;
  const equal = (a: Membership, b: Membership) =>
    a.admin === b.admin &&
    (a.inherit ?? b.inherit) === (b.inherit ?? a.inherit) &&
    (a.set ?? b.set) === (b.set ?? a.set);
  const lacking = left.filter((membership) => !right.some((twin) => same(membership, twin) && equal(membership, twin)));
  const extra = right.filter((membership) => !left.some((twin) => same(membership, twin)));
  const object = ({ role, member }: Membership) => `${role} to ${member}`;
  const revoke = ({ role, member }: Membership) => new SecretStatement(`REVOKE ${ident(role)} FROM ${ident(member)}`);
  return [
    ...globalFinding(
      'membership-missing',
      'memberships differ on the candidate',
      'Rights that come by membership would be missing after the switchover.',
      lacking.map((membership) => ({
        object: object(membership),
        statements: [
          ...(right.some((twin) => same(membership, twin)) ? [revoke(membership)] : []),
          new SecretStatement(`GRANT ${ident(membership.role)} TO ${ident(membership.member)}${options(membership)}`),
        ],
      })),
    ),
    ...globalFinding(
      'membership-extra',
      'memberships are only on the candidate',
      'They were revoked on the live side since, or a migration granted them.',
      extra.map((membership) => ({ object: object(membership), statements: [revoke(membership)] })),
    ),
  ];
}

function options({ admin, inherit, set }: Membership): string {
  if (inherit === null || set === null) return admin ? ' WITH ADMIN OPTION' : '';
  return ` WITH ADMIN ${admin}, INHERIT ${inherit}, SET ${set}`;
}

/** Grants of one role to one member by several grantors (PostgreSQL 16+) count as one. */
async function readMemberships(client: Client): Promise<Membership[]> {
  const found = await rows<Membership>(
    client,
    `
    SELECT r.rolname AS role, m.rolname AS member, bool_or(a.admin_option) AS admin,
      bool_or((to_jsonb(a)->>'inherit_option')::boolean) AS inherit, bool_or((to_jsonb(a)->>'set_option')::boolean) AS set
    FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
    GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  return found.filter(({ member }) => !foreignRole(member));
}

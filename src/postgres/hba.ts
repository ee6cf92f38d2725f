import { finding, type Finding } from '../model/finding.ts';
import { operatorRole, ownRoles } from '../model/names.ts';
import { rows, type Client } from './client.ts';

interface Rule {
  readonly type: string;
  readonly databases: readonly string[];
  readonly users: readonly string[];
  readonly address: string | null;
  readonly mask: string | null;
  readonly method: string;
}

/**
 * Which of Verdigris's roles the server's pg_hba.conf keeps out when they come from another pod: the first rule that
 * fits decides. Rules for single hosts are passed over, since the address of a pod is not known beforehand. Superusers
 * only may read the view.
 */
export async function closedTo(client: Client): Promise<Finding[]> {
  const rules = await rows<Rule>(
    client,
    `
    SELECT type, database AS databases, user_name AS users, address, netmask AS mask, auth_method AS method
    FROM pg_hba_file_rules WHERE error IS NULL AND type IN ('host', 'hostssl', 'hostnossl') ORDER BY line_number`,
  );
  const { database = '' } = client;
  const wide = ({ address, mask }: Rule) =>
    address === 'all' ||
    address === 'samenet' ||
    (mask !== null && !/^255\.255\.255\.255$|^(ffff:){7}ffff$/i.test(mask));
  const closed = ownRoles.filter((role) => {
    const first = rules.find(
      (rule) =>
        wide(rule) &&
        rule.type !== 'hostssl' &&
        (rule.databases.includes('all') || rule.databases.includes(database)) &&
        (rule.users.includes('all') || rule.users.includes(role)),
    );
    return !first || !['scram-sha-256', 'md5', 'password', 'trust'].includes(first.method);
  });
  if (closed.length === 0) return [];
  return [
    finding('hba-closed', {
      title: `pg_hba.conf does not let ${closed.join(' and ')} in from other pods`,
      objects: closed,
      reason: "The operator, and the other colour's subscription, log in over the network with a password.",
      fix:
        'Add at the top of pg_hba.conf, then SELECT pg_reload_conf(): ' +
        [
          ...closed.map((role) => `host "${database}" ${role} all scram-sha-256`),
          ...(closed.includes(operatorRole) ? [`host postgres ${operatorRole} all scram-sha-256`] : []),
        ].join(' and '),
    }),
  ];
}

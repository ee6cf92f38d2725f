/** An unprivileged user; postgres in the official images of Debian. */
const anyUser = 999;

/** What the restricted Pod Security Standard asks of a pod, and the group that its volumes are readable for. */
export const podSecurity = securityOf(anyUser);

/** As `podSecurity`, for the user whom a volume's data belongs to. */
export function securityOf(user: number) {
  return {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: user,
    fsGroup: user,
    // Changing the owner of every file of a large volume at each start would take minutes.
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  } as const;
}

/** What it asks of a container, with a root file system that nobody can write to. */
export const containerSecurity = {
  allowPrivilegeEscalation: false,
  privileged: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
} as const;

interface Sizes {
  readonly cpu: string;
  readonly memory: string;
  readonly cpuLimit?: string | undefined;
  readonly memoryLimit?: string | undefined;
}

/**
 * Requests always; limits where declared, and of memory always, so that one colour cannot take the node's from the
 * other.
 */
export function resources({ cpu, memory, cpuLimit, memoryLimit }: Sizes): {
  readonly requests: { readonly cpu: string; readonly memory: string };
  readonly limits: { readonly cpu?: string; readonly memory: string };
} {
  return {
    requests: { cpu, memory },
    limits: { ...(cpuLimit === undefined ? {} : { cpu: cpuLimit }), memory: memoryLimit ?? quadruple(memory) },
  };
}

function quadruple(memory: string): string {
  const [, number = '0', unit = ''] = /^([\d.]+)(\D*)$/.exec(memory) ?? [];
  return `${Number(number) * 4}${unit}`;
}

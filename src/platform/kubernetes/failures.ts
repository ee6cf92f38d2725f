import type { Kind } from '../../manifests/manifest.ts';
import { describe, VerdigrisError } from '../../model/errors.ts';

export interface Asked {
  readonly verb: string;
  readonly kind: Kind;
  readonly namespace: string;
  readonly name?: string | undefined;
}

function object({ kind, namespace, name }: Asked): string {
  return `${kind} ${namespace}/${name ?? '*'}`;
}

/** What the API server refused, in words that name the object and the fix. */
export function apiRefusal(asked: Asked, status: number, body: unknown): VerdigrisError {
  const { message = 'no reason given' } = body as { message?: string };
  const facts = { ...asked, status, message };
  if (status === 401)
    return new VerdigrisError('cluster-unauthorized', {
      seen: `The cluster rejects these credentials (${message}).`,
      required: 'a kubeconfig that the cluster accepts.',
      next: 'log in to the cluster again, or set KUBECONFIG to another kubeconfig; nothing was changed by this request.',
      facts,
    });
  if (status === 403 && /exceeded quota/.test(message))
    return new VerdigrisError('quota-exceeded', {
      seen: `The cluster refuses to ${asked.verb} ${object(asked)}: ${message}`,
      required: "room in the namespace's ResourceQuota.",
      next: 'have it raised (a release needs a second server and volume for as long as it lasts), or declare less; the same command continues from here.',
      facts,
    });
  // RBAC names whom it refuses; a LimitRange, Pod Security or a webhook says what it does not take.
  if (status === 403 && /\bcannot \w+ resource\b/.test(message))
    return new VerdigrisError('cluster-forbidden', {
      seen: `The cluster refuses to ${asked.verb} ${object(asked)}: ${message}`,
      required: "the operator's Role (docs/kubernetes.md).",
      next: 'have it bound to the account that runs Verdigris, then run the command again.',
      facts,
    });
  if (status === 404)
    return new VerdigrisError('object-missing', {
      seen: `${object(asked)} is not there, or the cluster does not have this kind: ${message}`,
      required: 'that object.',
      next: 'see `verdigris status`; where the kind is missing, install what brings it (snapshot API, Istio).',
      facts,
    });
  if (status === 409)
    return new VerdigrisError('object-conflict', {
      seen: `${object(asked)} was changed by somebody else meanwhile: ${message}`,
      required: 'no other writer of it.',
      next: 'run the command again.',
      facts,
    });
  return new VerdigrisError('cluster-refused', {
    seen: `The cluster refuses to ${asked.verb} ${object(asked)} (${status}): ${message}`,
    required: 'an object that it accepts.',
    next: 'fix what it says; the same command continues from here.',
    facts,
  });
}

export function unreachable(asked: Asked, cause: unknown): VerdigrisError {
  return new VerdigrisError('cluster-unreachable', {
    seen: `The cluster did not answer when asked to ${asked.verb} ${object(asked)}: ${describe(cause)}.`,
    required: 'an API server that answers.',
    next: 'see whether `kubectl get namespaces` works with the same KUBECONFIG; the same command continues from the journal.',
    cause,
  });
}

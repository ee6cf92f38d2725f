import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { VerdigrisError } from '../model/errors.ts';
import { sealVariable } from '../model/kubernetes.ts';

export function digestOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

export function isToBeSealed(): boolean {
  return process.env[sealVariable] !== undefined;
}

/**
 * A file of a declaration as it is read in a pod of the cluster, where a ConfigMap has it: its digest must be one that
 * the Secret beside it has. Elsewhere whoever runs the command wrote the file.
 * @throws VerdigrisError `declaration-unsealed`; what readFile throws.
 */
export async function readSealed(file: string): Promise<Buffer> {
  const content = await readFile(file);
  const seal = process.env[sealVariable];
  if (seal === undefined) return content;
  const name = path.basename(file);
  const digests = await readFile(path.join(seal, name), 'utf8').catch(() => '');
  if (!digests.split(' ').includes(digestOf(content))) throw unsealed(name);
  return content;
}

export function unsealed(name: string): VerdigrisError {
  return new VerdigrisError('declaration-unsealed', {
    seen: `${name} in the cluster is not what was declared: its digest is not in the environment's seal Secret.`,
    required: 'exactly what was declared: it contains commands and SQL that would be run.',
    next:
      'find out who changed the ConfigMap; `up`, or `pulumi up`, writes both again. Right after an `up` the two may ' +
      'reach a pod some seconds apart: the next attempt then succeeds.',
    facts: { file: name },
  });
}

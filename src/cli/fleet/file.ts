import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { indented } from '../../model/indented.ts';

const percent = z.string().regex(/^([1-9]\d?|100)%$/, 'a share from 1% to 100%');

const waveSchema = z.strictObject({
  name: z.string().min(1).optional(),
  /** Files of declarations, by the folder of this file. */
  environments: z.array(z.string().min(1)).min(1),
  /** How many of them at a time. */
  atATime: z.int().min(1).default(1),
});

const fleetSchema = z.strictObject({
  /** One after the other; the first with one environment is a canary. */
  waves: z.array(waveSchema).min(1),
  /** Failures at which nothing more is begun: a number, or a share of all environments. */
  stopAt: z.union([z.int().min(1), percent]).default(1),
});

export interface Wave {
  readonly name: string;
  readonly environments: readonly string[];
  readonly atATime: number;
}

export interface Fleet {
  readonly waves: readonly Wave[];
  /** Failures at which nothing more is begun. */
  readonly stopAt: number;
}

/** Reads a fleet, with the paths of its declarations absolute. @throws VerdigrisError `fleet-invalid` */
export async function readFleet(file: string): Promise<Fleet> {
  const found: unknown = await readFile(file, 'utf8')
    .then((text) => parse(text) as unknown)
    .catch((cause: unknown) => {
      throw invalid(file, [describe(cause)]);
    });
  const parsed = fleetSchema.safeParse(found);
  if (!parsed.success)
    throw invalid(
      file,
      parsed.error.issues.map(({ path: at, message }) => `${at.map(String).join('.') || '(whole file)'}: ${message}`),
    );
  const { waves, stopAt } = parsed.data;
  const folder = path.dirname(path.resolve(file));
  const all = waves.flatMap(({ environments }) => environments.map((each) => path.resolve(folder, each)));
  const twice = all.filter((each, index) => all.indexOf(each) !== index);
  if (twice.length > 0) throw invalid(file, [`waves: named twice: ${[...new Set(twice)].join(', ')}`]);
  return {
    waves: waves.map(({ name, environments, atATime }, index) => ({
      name: name ?? `wave ${index + 1}`,
      environments: environments.map((each) => path.resolve(folder, each)),
      atATime,
    })),
    stopAt:
      typeof stopAt === 'number' ? stopAt : Math.max(1, Math.ceil((Number.parseInt(stopAt, 10) * all.length) / 100)),
  };
}

function invalid(file: string, problems: readonly string[]): VerdigrisError {
  return new VerdigrisError('fleet-invalid', {
    seen: `${file} is not a valid fleet:\n${indented(problems)}`,
    required: 'a file as docs/fleet.md describes it.',
    next: 'fix what is listed; nothing was done.',
    facts: { problems },
  });
}

import { finding, type Finding, type FindingId, type Said } from '../../model/finding.ts';
import type { Client } from '../client.ts';
import type { Gate, PreflightFacts, Side } from './facts.ts';

/** One question to one server. */
export interface Check {
  /** Stable, kebab-case. */
  readonly id: string;
  /** Rows of docs/hazards.md that it answers; empty for what PostgreSQL's manuals warn of beside those. */
  readonly hazards: readonly number[];
  readonly title: string;
  readonly on: Side | 'both';
  readonly when: readonly Gate[];
  /** Every finding it can give. */
  readonly findings: readonly FindingId[];
  /** What to run as a superuser where the operator's role may not look; `role` is quoted. */
  readonly needs?: (role: string) => string;
  /**
   * `operator`: what it reads is shown to nobody else, or it asks about the role that asks. `reader`: it reads tables
   * that are not PostgreSQL's own, and whoever owns them must not find a superuser: left out where there is no reader
   * yet. Without: by the reader, and by the operator where the reader is refused.
   */
  readonly by?: 'operator' | 'reader';
  readonly run: (client: Client, facts: PreflightFacts) => Promise<Finding[]>;
}

/** A session of the operator's, for a check that only he may make: the others are made by who may only read. */
export type AsOperator = <T>(use: (operator: Client) => Promise<T>) => Promise<T>;

export const everyGate: readonly Gate[] = ['seed', 'migrate', 'switch'];

/** A finding where there are objects, else none: what most checks end with. */
export function found<I extends FindingId>(id: I, said: Said<I>): Finding[] {
  return said.objects.length === 0 ? [] : [finding(id, said)];
}

/** Statements, each once, in their order: ready for psql. */
export function inOrder(lines: readonly string[]): string {
  return [...new Set(lines.filter(Boolean))].join('\n');
}

/** Thrown by a check that sees that it was shown less than there is, where PostgreSQL hides instead of failing. */
export class HiddenError extends Error {
  override readonly name = 'HiddenError';
}

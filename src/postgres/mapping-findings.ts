import { finding, type Finding, type WordlessId } from '../model/finding.ts';

export type MappingDirection = 'forward' | 'reverse';

/** What is found while two catalogues are mapped, in the words of the direction. */
export class MappingFindings {
  readonly findings: Finding[] = [];
  readonly direction: MappingDirection;
  /** What a row that cannot be carried costs. */
  readonly cost: string;

  constructor(direction: MappingDirection) {
    this.direction = direction;
    this.cost =
      direction === 'forward' ? 'replication to the candidate would stop' : 'a lossless rollback would be lost';
  }

  readonly refuse = (id: WordlessId, title: string, objects: readonly string[], fix: string): void => {
    const reason = `Rows of the current software cannot be carried: ${this.cost}.`;
    this.findings.push(finding(id, { title, objects, reason, fix }));
  };

  readonly warn = (id: WordlessId, title: string, objects: readonly string[], reason: string, fix: string): void => {
    this.findings.push(finding(id, { title, objects, reason, fix }));
  };
}

import { readFileSync } from 'node:fs';
import { isErrorId } from '../model/error-catalogue.ts';
import { ruleIds, ruleOf } from '../migrations/lint/rules/index.ts';
import { rulePage } from '../migrations/lint/page.ts';
import { docsFolder } from '../model/docs-folder.ts';

/** What is written about one id. `tablespaces` is an error and a finding, so an id may have more than one. */
export interface ManualPage {
  readonly kind: 'error' | 'finding' | 'rule';
  readonly id: string;
  /** Relative to the package, with the section. */
  readonly source: string;
  /** Markdown. */
  readonly text: string;
}

/** The pages whose sections are ids, and how deep their headings are. */
const sectioned = [
  { file: 'errors.md', mark: '###' },
  { file: 'findings.md', mark: '##' },
] as const;

/** Everything that has an id, in the order of the documentation. */
export function allPages(): ManualPage[] {
  return [
    ...sectioned.flatMap(({ file, mark }) => sections(document(file), file, mark)),
    ...ruleIds.flatMap(rulePages),
  ];
}

function document(file: string): string {
  return readFileSync(new URL(file, docsFolder()), 'utf8');
}

/** errors.md has errors, and the findings of the gates and of a rehearsal. */
function sections(text: string, file: string, mark: string): ManualPage[] {
  const heading = new RegExp(`^${mark} ([a-z0-9-]+)\\n([^]*?)(?=^#{1,${mark.length}} |(?![^]))`, 'gm');
  return [...text.matchAll(heading)].map(({ 1: id = '', 2: body = '' }) => ({
    kind: file === 'errors.md' && isErrorId(id) ? 'error' : 'finding',
    id,
    source: `docs/${file}#${id}`,
    text: body.trim(),
  }));
}

function rulePages(id: string): ManualPage[] {
  const rule = ruleOf(id);
  return rule ? [{ kind: 'rule', id, source: `docs/lint/${id}.md`, text: rulePage(rule).trim() }] : [];
}

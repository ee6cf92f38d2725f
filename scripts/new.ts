import { access, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { findingCatalogue } from '../src/model/finding-catalogue.ts';
import { verbs } from '../src/model/transitions.ts';
import { ruleIds } from '../src/migrations/lint/rules/index.ts';
import { check } from './new/check.ts';
import { rule } from './new/rule.ts';
import type { Stub } from './new/stub.ts';
import { verb } from './new/verb.ts';

/** `npm run new -- rule|check|verb NAME`: writes the files of one, and puts it where its like are listed. */

const kinds: Readonly<Record<string, (name: string) => Stub>> = { rule, check, verb };

const [kind = '', name = ''] = process.argv.slice(2);
const make = kinds[kind];
if (!make || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
  console.error(
    `usage: npm run new -- rule|check|verb NAME (lower case, words joined by hyphens). Seen: ${[kind, name].join(' ').trim() || 'nothing'}.`,
  );
  process.exit(2);
}

const taken: Readonly<Record<string, readonly string[]>> = {
  rule: [...ruleIds],
  check: Object.keys(findingCatalogue),
  verb: verbs,
};
if (taken[kind]?.includes(name)) {
  console.error(`there is a ${kind} ${name} already: take another name. Nothing was written.`);
  process.exit(1);
}

const root = path.resolve(import.meta.dirname, '..');
const { files, lines, next } = make(name);

for (const file of Object.keys(files))
  if (
    await access(path.join(root, file)).then(
      () => true,
      () => false,
    )
  ) {
    console.error(`${file} is there already: take another name, or remove it first. Nothing was written.`);
    process.exit(1);
  }

/**
 * Every text is made before any is written, so that a list that reads otherwise by now leaves the checkout as it is.
 */
const texts = new Map(Object.entries(files));
for (const { file, before, text } of lines) {
  const now = texts.get(file) ?? (await readFile(path.join(root, file), 'utf8'));
  const at = now.indexOf(before);
  if (at < 0) {
    console.error(`${file} has no ${JSON.stringify(before)} before which to write. Nothing was written.`);
    process.exit(1);
  }
  texts.set(file, now.slice(0, at) + text + now.slice(at));
}
for (const [file, text] of texts) {
  const place = path.join(root, file);
  const code = file.endsWith('.ts');
  await writeFile(place, code ? await format(text, { ...(await resolveConfig(place)), filepath: place }) : text);
  console.log(`wrote ${file}`);
}
const written = "replace each TODO: in them (grep -rn 'TODO: ' src docs); test/docs/todo.test.ts refuses what is left";
const last = ['a line in CHANGELOG.md: what an operator will observe', 'npm run format, then npm run check'];
console.log(`\nNext:\n${[written, ...next, ...last].map((each) => `  ${each}`).join('\n')}`);

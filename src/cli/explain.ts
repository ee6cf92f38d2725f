import { Command } from 'commander';
import { colors } from './colors.ts';
import { VerdigrisError } from '../model/errors.ts';
import { nearest } from '../model/nearest.ts';
import { allPages, type ManualPage } from './pages.ts';
import { withReporter } from './session.ts';

/** `verdigris explain <id>`: what every error and finding points to. Needs no environment and no network. */
export function explainCommand(): Command {
  return new Command('explain')
    .description(
      'Prints the section of docs/errors.md or docs/findings.md, or the page of docs/lint. Opens nothing else.',
    )
    .argument('<id>', 'such as pause-timeout: every error and finding ends with its own')
    .option('--json', 'the result as a JSON line, its text in Markdown')
    .action((id: string, options: { readonly json?: boolean }) =>
      withReporter(options, (reporter) => {
        const found = pagesOf(id);
        reporter.result({ id, pages: found }, () => found.map(pageText).join('\n\n'));
        return Promise.resolve();
      }),
    );
}

function pagesOf(id: string): ManualPage[] {
  const all = allPages();
  const found = all.filter((page) => page.id === id);
  if (found.length > 0) return found;
  const near = nearest(id, [...new Set(all.map((page) => page.id))]);
  throw new VerdigrisError('no-such-id', {
    seen: `No error, finding or lint rule is called ${id}.`,
    required: 'an id, as the last line of an error or a finding names it.',
    next:
      near === undefined
        ? 'copy it from there; `verdigris lint --list-rules` lists the rules.'
        : `did you mean ${near}? Run \`verdigris explain ${near}\`.`,
    facts: near === undefined ? {} : { nearest: near },
  });
}

/** A page for the terminal: without Markdown's marks; links as paths in the package. */
function pageText({ kind, id, source, text }: ManualPage): string {
  const body = text
    .replace(/^# .*\n+/, '')
    // Before anything is painted: the codes of colours begin with a bracket too.
    .replaceAll(/\[([^\]]+)\]\(([^)]+)\)/g, (_, words: string, target: string) => linkText(words, target, source))
    .replaceAll(/^## (.*)$/gm, (_, title: string) => colors.bold(title))
    .replaceAll(/\*\*([^*]+)\*\*/g, (_, words: string) => colors.bold(words))
    .replaceAll(/^\*([^*\n]+)\*/gm, '$1');
  return `${colors.bold(id)} ${colors.dim(`(${kind})`)}\n\n${body}\n\n${colors.dim(source)}`;
}

function linkText(words: string, target: string, source: string): string {
  const path = target.startsWith('#') ? source.replace(/#.*$/, target) : `docs/${target}`;
  return path.endsWith(`/${words}`) ? path : `${words} (${path})`;
}

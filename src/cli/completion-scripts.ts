/** What can follow a command. */
export interface Completed {
  /** From `verdigris` on, without it. */
  readonly words: readonly string[];
  readonly summary: string;
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  /** Of its arguments, where there are only these. */
  readonly values: readonly string[];
  readonly options: readonly {
    readonly long: string;
    readonly short: string | undefined;
    readonly summary: string;
    readonly values: readonly string[];
    /** A value follows it: one of `values`, else whatever the shell completes (a file). */
    readonly takes: boolean;
  }[];
}

/** As one word of all three shells. An apostrophe stands in double quotes: fish and the others escape it differently. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`).replaceAll('\n', ' ')}'`;
}

function topLevel(all: readonly Completed[]): Completed[] {
  return all.filter(({ words }) => words.length === 1);
}

function wordsAfter({ commands, values, options }: Completed): string[] {
  return [...commands.map(({ name }) => name), ...values, ...options.map(({ long }) => long), '--help'];
}

export function bashScript(all: readonly Completed[]): string {
  const cases = all.flatMap((each) => [
    ...each.options
      .filter(({ takes }) => takes)
      .map(({ long, short, values }) => {
        const names = [long, short].flatMap((name) => (name === undefined ? [] : `${each.words.join(' ')} ${name}`));
        return `    ${names.map(quoted).join('|')}) ${bashAnswer(values)} ;;`;
      }),
  ]);
  const words = all.map(
    (each) => `    ${quoted(each.words.join(' '))}) words=${quoted(wordsAfter(each).join(' '))} ;;`,
  );
  return `# bash completion of verdigris, made by \`verdigris completion bash\`.
_verdigris() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${COMP_WORDS[index]}" in -*) break ;; esac
    case "$path \${COMP_WORDS[index]}" in
${all.map(({ words: each }) => `      ${quoted(` ${each.join(' ')}`)}) path="$path \${COMP_WORDS[index]}" ;;`).join('\n')}
    esac
  done
  path="\${path# }"
  case "$path $previous" in
${cases.join('\n')}
  esac
  case "$path" in
    '') words=${quoted(
      topLevel(all)
        .flatMap(({ words: each }) => each)
        .join(' '),
    )} ;;
${words.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _verdigris verdigris
`;
}

function bashAnswer(values: readonly string[]): string {
  const words = values.length > 0 ? `-W ${quoted(values.join(' '))}` : '-f';
  return `COMPREPLY=($(compgen ${words} -- "$current")); return`;
}

export function zshScript(all: readonly Completed[]): string {
  const described = (name: string, summary: string): string =>
    quoted(`${name.replaceAll(':', '\\:')}:${summary.replaceAll(':', ' –')}`);
  const functions = all.map((each) => {
    const options = each.options.map(({ long, summary }) => described(long, summary));
    const words = [...each.commands.map(({ name, summary }) => described(name, summary)), ...each.values.map(quoted)];
    const taking = each.options
      .filter(({ takes }) => takes)
      .map(({ long, short, values }) => {
        const names = [long, short].filter((name) => name !== undefined).join('|');
        return `        ${names}) ${values.length > 0 ? `compadd ${values.map(quoted).join(' ')}` : '_files'}; return ;;`;
      });
    return `    ${quoted(each.words.join(' '))})
      case "$words[CURRENT-1]" in
${taking.join('\n')}
      esac
      found=(${[...words, ...options].join(' ')}) ;;`;
  });
  return `#compdef verdigris
# zsh completion of verdigris, made by \`verdigris completion zsh\`.
_verdigris() {
  local path_of="" word
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${path_of:+$path_of }$word" in
${all.map(({ words }) => `      ${quoted(words.join(' '))}) path_of=${quoted(words.join(' '))} ;;`).join('\n')}
    esac
  done
  case "$path_of" in
    '') found=(${topLevel(all)
      .map(({ words: [name = ''], summary }) => described(name, summary))
      .join(' ')}) ;;
${functions.join('\n')}
  esac
  _describe verdigris found
}
if [[ "$funcstack[1]" = _verdigris ]]; then _verdigris "$@"; else compdef _verdigris verdigris; fi
`;
}

export function fishScript(all: readonly Completed[]): string {
  const lines = all.flatMap((each) => {
    const seen = each.words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    return [
      ...each.commands.map(
        ({ name, summary }) => `complete -c verdigris -n ${quoted(seen)} -a ${name} -d ${quoted(summary)}`,
      ),
      ...each.values.map((value) => `complete -c verdigris -n ${quoted(seen)} -a ${quoted(value)}`),
      ...each.options.map(({ long, short, summary, values, takes }) =>
        [
          `complete -c verdigris -n ${quoted(seen)} -l ${long.slice(2)}`,
          ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
          ...(takes ? ['-r'] : []),
          ...(values.length > 0 ? [`-f -a ${quoted(values.join(' '))}`] : []),
          `-d ${quoted(summary)}`,
        ].join(' '),
      ),
    ];
  });
  return `# fish completion of verdigris, made by \`verdigris completion fish\`.
complete -c verdigris -n __fish_use_subcommand -f
${topLevel(all)
  .map(
    ({ words: [name = ''], summary }) =>
      `complete -c verdigris -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
  )
  .join('\n')}
${lines.join('\n')}
`;
}

/**
 * What of this process's environment a program sees. `ordinary`: where programs and its home are, and the language; no
 * secret, and nothing that could lead it to another database. `all`: for programs of the operator's own, which read
 * theirs there.
 */
export type Inheritance = 'ordinary' | 'all' | readonly string[];

const ordinary = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'USER', 'SHELL'];

export function inherited(which: Inheritance): NodeJS.ProcessEnv {
  if (which === 'all') return process.env;
  const names = which === 'ordinary' ? ordinary : which;
  return Object.fromEntries(names.flatMap((name) => (name in process.env ? [[name, process.env[name]]] : [])));
}

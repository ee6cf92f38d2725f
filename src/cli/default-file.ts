/** Where a declaration is looked for. Apart from what reads one: every command names it in its help. */
export const defaultFile = 'verdigris.yaml';

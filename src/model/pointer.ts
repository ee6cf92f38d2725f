/** Where the page of an error, a finding or a lint rule is read, also outside of a checkout. */
export function pointer(id: string): string {
  return `verdigris explain ${id}`;
}

/** An error as a server sends it before it ends a session: class C, message M and so on, in latin1. */
export const fatal = (code: string, message: string): string => {
  const fields = `SFATAL\0VFATAL\0C${code}\0M${message}\0\0`;
  const length = Buffer.alloc(4);
  length.writeInt32BE(fields.length + 4);
  return `E${length.toString('latin1')}${fields}`;
};

/** Writes the address of each file that Node loads to standard error. */
export const tracer = `
import { registerHooks } from 'node:module';
import { writeSync } from 'node:fs';
registerHooks({
  load(url, context, next) {
    writeSync(2, 'loaded ' + url + '\\n');
    return next(url, context);
  },
});
`;

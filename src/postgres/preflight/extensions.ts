import { rows } from '../client.ts';
import { ident } from '../quote.ts';
import { found, inOrder, type Check } from './check.ts';

interface Extension {
  readonly name: string;
  readonly version: string;
  /** The version that CREATE EXTENSION would make here; null where its files are missing. */
  readonly standard: string | null;
  readonly known: boolean;
}

const installed = `
  SELECT e.extname AS name, e.extversion AS version, a.default_version AS standard, EXISTS (SELECT FROM
    pg_available_extension_versions v WHERE v.name = e.extname AND v.version = e.extversion) AS known
  FROM pg_extension e LEFT JOIN pg_available_extensions a ON a.name = e.extname ORDER BY e.extname COLLATE "C"`;

/** Before there is a candidate: from what the platform knows of its image. */
export const extensionsOfImage: Check = {
  id: 'extensions-of-image',
  hazards: [27],
  title: "extensions of the candidate's image",
  on: 'live',
  when: ['seed'],
  findings: ['extension-missing', 'extension-older', 'extensions'],
  run: async (client, { candidateExtensions }) => {
    const all = await rows<Extension>(client, installed);
    const missing =
      candidateExtensions === undefined ? [] : all.filter(({ name }) => candidateExtensions[name] === undefined);
    const older =
      candidateExtensions === undefined
        ? []
        : all.filter(({ name, version }) => candidateExtensions[name]?.includes(version) === false);
    return [
      ...missingFinding(missing),
      ...olderFinding(older),
      ...found('extensions', {
        objects: all.filter(({ name }) => name !== 'plpgsql').map(({ name, version }) => `${name} ${version}`),
        reason: "The candidate's image must hold the files of each; that is looked at again when it runs.",
      }),
    ];
  },
};

/** On the candidate itself. Docs: pg_available_extension_versions; ALTER EXTENSION UPDATE. */
export const extensionsOfCandidate: Check = {
  id: 'extensions-of-candidate',
  hazards: [27],
  title: 'extensions of the candidate',
  on: 'candidate',
  when: ['migrate', 'switch'],
  findings: ['extension-missing', 'extension-older', 'extension-update'],
  run: async (client) => {
    const all = await rows<Extension>(client, installed);
    const outdated = all.filter(({ standard, known, version }) => standard !== null && known && standard !== version);
    return [
      ...missingFinding(all.filter(({ standard }) => standard === null)),
      ...olderFinding(all.filter(({ standard, known }) => standard !== null && !known)),
      ...found('extension-update', {
        objects: outdated.map(({ name, version, standard }) => `${name} ${version}, there is ${standard ?? ''}`),
        reason:
          'The library is new and the SQL objects are old: it works as a rule, but fixes and functions are missing.',
        fix: inOrder(outdated.map(({ name }) => `ALTER EXTENSION ${ident(name)} UPDATE;`)),
      }),
    ];
  },
};

function missingFinding(all: readonly Extension[]) {
  return found('extension-missing', {
    objects: all.map(({ name, version }) => `${name} ${version}`),
    reason: 'Their functions fail there at the first call, and if they are preloaded the server may not even start.',
  });
}

function olderFinding(all: readonly Extension[]) {
  return found('extension-older', {
    objects: all.map(({ name, version }) => `${name} ${version}`),
    reason: 'The SQL objects call into a library that is older: wrong results or crashes.',
  });
}

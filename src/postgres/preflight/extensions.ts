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
  SELECT e.extname AS name, e.extversion AS version, a.default_version AS standard, EXISTS (SELECT FROM pg_available_extension_versions v WHERE v.name = e.extname AND v.version = e.extversion) AS known
  FROM pg_extension e LEFT JOIN pg_available_extensions a ON a.name = e.extname ORDER BY e.extname COLLATE "C"`;

/** Before there is a candidate: from what the platform knows of its image. */
export const extensionsOfImage: Check = {
  id: 'extensions-of-image',
  hazards: [27],
  title: "extensions of the candidate's image",
  on: 'live',
  when: ['seed'],
  findings: { 'extension-missing': 'refuse', 'extension-older': 'refuse', extensions: 'info' },
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
      ...found({
        id: 'extensions',
        grade: 'info',
        title: 'the database uses extensions',
        objects: all.filter(({ name }) => name !== 'plpgsql').map(({ name, version }) => `${name} ${version}`),
        reason: "The candidate's image must hold the files of each; that is looked at again when it runs.",
        fix: 'Nothing to do where both colours use one image.',
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
  findings: { 'extension-missing': 'refuse', 'extension-older': 'refuse', 'extension-update': 'info' },
  run: async (client) => {
    const all = await rows<Extension>(client, installed);
    const outdated = all.filter(({ standard, known, version }) => standard !== null && known && standard !== version);
    return [
      ...missingFinding(all.filter(({ standard }) => standard === null)),
      ...olderFinding(all.filter(({ standard, known }) => standard !== null && !known)),
      ...found({
        id: 'extension-update',
        grade: 'info',
        title: 'the candidate has newer versions of extensions than the database uses',
        objects: outdated.map(({ name, version, standard }) => `${name} ${version}, there is ${standard ?? ''}`),
        reason:
          'The library is new and the SQL objects are old: it works as a rule, but fixes and functions are missing.',
        fix: inOrder(outdated.map(({ name }) => `ALTER EXTENSION ${ident(name)} UPDATE;`)),
      }),
    ];
  },
};

function missingFinding(all: readonly Extension[]) {
  return found({
    id: 'extension-missing',
    grade: 'refuse',
    title: 'the candidate has no files of extensions that the database uses',
    objects: all.map(({ name, version }) => `${name} ${version}`),
    reason: 'Their functions fail there at the first call, and the server may not even start where they are preloaded.',
    fix: "Install their packages in the candidate's image, in at least these versions.",
  });
}

function olderFinding(all: readonly Extension[]) {
  return found({
    id: 'extension-older',
    grade: 'refuse',
    title: 'the candidate has other versions of extensions and does not know those that the database uses',
    objects: all.map(({ name, version }) => `${name} ${version}`),
    reason: 'The SQL objects call into a library that is older: wrong results or crashes.',
    fix: "Install the same or a newer version of their packages in the candidate's image.",
  });
}

import { catalogue, classOf, type Edge, type Graph, type ObjectKey } from './graph.ts';

/** A part of a database, cut out along its dependencies. */
export interface Cut {
  /** Tables, and all that goes along with them. */
  readonly carried: ReadonlySet<ObjectKey>;
  /** What would be torn: an object of one side that cannot be without one of the other. */
  readonly torn: readonly Torn[];
  /** What reads both sides, and stays where it is. */
  readonly stays: readonly ObjectKey[];
}

export interface Torn {
  readonly object: ObjectKey;
  readonly needs: ObjectKey;
}

/** Deptypes of what is dropped with the other object: its indexes, constraints, triggers, partitions, sequences. */
const ofIts = new Set(['a', 'i', 'P', 'S']);

/** They say that a table is published, and are none of its own. */
const publishing: ReadonlySet<number> = new Set([catalogue.publicationTable, catalogue.publicationSchema]);

/** Relations that hold rows or show them. */
const withRows = new Set(['r', 'p', 'v', 'm', 'f']);

/** They are named by their table, which whoever needs them needs too. */
const indexes = new Set(['i', 'I', 't']);

/**
 * Follows the dependencies of tables: what is theirs goes along, and what they need; views, functions and types over
 * them alone as well. What would be torn is named, and what stays.
 */
export function cutOut(graph: Graph, tables: readonly ObjectKey[]): Cut {
  const carried = new Set<ObjectKey>();
  const torn = take(graph, carried, tables);
  // What the tables alone need may serve the other side too: a function, a type. What holds rows or numbers may not.
  const theirs = new Set(tables.flatMap((table) => own(graph, table)));
  const core = new Set([...carried].filter((key) => theirs.has(key) || graph.kinds.get(key) === 'S'));
  const stays = new Set<ObjectKey>();
  for (let more = true; more;) {
    more = false;
    const seen = [...core].filter((key) => !indexes.has(graph.kinds.get(key) ?? ''));
    for (const edge of seen.flatMap((key) => graph.dependents.get(key) ?? [])) {
      const object = homeOf(graph, edge);
      if (object === undefined || carried.has(object)) continue;
      if (tears(graph, edge, object)) {
        torn.push({ object: edge.from, needs: edge.to });
        continue;
      }
      const along = new Set(carried);
      if (take(graph, along, [object]).length > 0) {
        stays.add(object);
        continue;
      }
      for (const key of along)
        if (!carried.has(key)) {
          carried.add(key);
          core.add(key);
        }
      stays.delete(object);
      more = true;
    }
  }
  return { carried, torn: unique(torn), stays: [...stays] };
}

/** Adds objects, what is theirs and what they need; returns what they need of relations that are not among them. */
function take(graph: Graph, carried: Set<ObjectKey>, objects: readonly ObjectKey[]): Torn[] {
  const torn: Torn[] = [];
  const queue = objects.flatMap((key) => own(graph, key)).filter((key) => !carried.has(key));
  for (const key of queue) carried.add(key);
  for (let key = queue.shift(); key !== undefined; key = queue.shift()) {
    const extension = (graph.needs.get(key) ?? []).find(({ kind }) => kind === 'e');
    const needed = extension ? [extension] : (graph.needs.get(key) ?? []);
    for (const { to } of needed) {
      if (carried.has(to)) continue;
      const kind = graph.kinds.get(to) ?? '';
      if (withRows.has(kind)) torn.push({ object: key, needs: to });
      if (withRows.has(kind) || indexes.has(kind)) continue;
      for (const more of own(graph, to))
        if (!carried.has(more)) {
          carried.add(more);
          queue.push(more);
        }
    }
  }
  return torn;
}

/** An object with all that is dropped with it. */
function own(graph: Graph, object: ObjectKey): ObjectKey[] {
  const found = new Set([object]);
  for (const key of found)
    for (const { from, kind } of graph.dependents.get(key) ?? [])
      if (ofIts.has(kind) && !publishing.has(classOf(from))) found.add(from);
  return [...found];
}

/** The object that a dependent is of: a view for its rule; undefined for what is none of anybody's business here. */
function homeOf(graph: Graph, { from, kind }: Edge): ObjectKey | undefined {
  if (kind === 'e' || kind === 'x' || publishing.has(classOf(from))) return undefined;
  if (classOf(from) !== catalogue.rule) return from;
  const owner = (graph.needs.get(from) ?? []).find((edge) => edge.kind === 'i' && graph.kinds.has(edge.to));
  return owner?.to ?? from;
}

/** A foreign key, a child by inheritance, a rule of a table, a default by a sequence: rows of one side need the other. */
function tears(graph: Graph, { from, fromColumn }: Edge, object: ObjectKey): boolean {
  if (classOf(from) === catalogue.constraint || classOf(from) === catalogue.default) return true;
  if (classOf(from) === catalogue.rule) return object === from;
  return (
    classOf(from) === catalogue.relation && fromColumn === 0 && ['r', 'p', 'f'].includes(graph.kinds.get(from) ?? '')
  );
}

/** Whether the same objects go. */
export function isSameCut(one: Cut, other: Cut): boolean {
  return one.carried.size === other.carried.size && [...one.carried].every((key) => other.carried.has(key));
}

function unique(torn: readonly Torn[]): Torn[] {
  return [...new Map(torn.map((each) => [`${each.object} ${each.needs}`, each])).values()];
}

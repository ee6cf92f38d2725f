import type {
  PolicyResource,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from '@pulumi/policy';
import type { Manifest } from '../../manifests/manifest.ts';

const trafficType = 'verdigris:index:Traffic';

/** An object that a release makes, as Pulumi's Kubernetes provider would call it. */
export interface ReleaseObject {
  /** `kubernetes:apps/v1:StatefulSet`. */
  readonly type: string;
  readonly name: string;
  readonly props: Record<string, unknown>;
}

/** Every object that the releases of a `Traffic` make, those of passing among them; none of any other resource. */
export function objectsOf({
  type,
  props,
}: {
  readonly type: string;
  readonly props: Record<string, unknown>;
}): ReleaseObject[] {
  if (type !== trafficType) return [];
  return ['objects', 'temporary'].flatMap((key) =>
    Object.values((props[key] ?? {}) as Record<string, Manifest>).map((manifest) => ({
      type: `kubernetes:${manifest.apiVersion === 'v1' ? 'core/v1' : manifest.apiVersion}:${manifest.kind}`,
      name: manifest.metadata.name,
      props: manifest as unknown as Record<string, unknown>,
    })),
  );
}

/**
 * A rule written for objects of Kubernetes, asked also about those that a release makes: the engine sees them as inputs
 * of one resource, and the rule holds for them all the same. What it reports names the object. A rule about whole
 * stacks finds them among the stack's resources.
 */
export function alsoOfReleases<P extends ResourceValidationPolicy | StackValidationPolicy>(policy: P): P {
  return 'validateStack' in policy
    ? { ...policy, validateStack: overStack(policy) }
    : { ...policy, validateResource: each(policy) };
}

type Validate = (args: ResourceValidationArgs, report: (message: string, urn?: string) => void) => Promise<void> | void;

function each({ validateResource }: ResourceValidationPolicy): Validate {
  const rules = [validateResource ?? []].flat() as Validate[];
  return (args, report) => {
    const asked = objectsOf(args).flatMap((object) =>
      rules.map((rule) =>
        applicable(() => rule(as(args, object), (message) => report(`${kindOf(object)} ${object.name}: ${message}`))),
      ),
    );
    return settled([...asked, ...rules.map((rule) => rule(args, report))]);
  };
}

function overStack({ validateStack }: StackValidationPolicy): StackValidationPolicy['validateStack'] {
  return (args, report) => {
    const made = args.resources.flatMap((resource) => objectsOf(resource).map((object) => as(resource, object)));
    return validateStack({ ...args, resources: [...args.resources, ...made] }, report);
  };
}

/** Says of one object that a rule is none for it. */
class NotApplicable extends Error {}

function applicable(ask: () => Promise<void> | void): Promise<void> | void {
  const forgive = (error: unknown): void => {
    if (!(error instanceof NotApplicable)) throw error;
  };
  try {
    const asked = ask();
    return asked instanceof Promise ? asked.catch(forgive) : asked;
  } catch (error) {
    forgive(error);
  }
}

/** The resource's arguments, about one of its objects. */
function as<A extends ResourceValidationArgs | PolicyResource>(args: A, { type, name, props }: ReleaseObject): A {
  const isType = (resource: unknown): boolean =>
    (resource as { isInstance?: (value: unknown) => boolean } | undefined)?.isInstance?.({ __pulumiType: type }) ===
    true;
  return Object.assign(Object.create(args) as A, {
    type,
    name,
    props,
    isType,
    asType: (resource: unknown) => (isType(resource) ? props : undefined),
    notApplicable: (reason?: string) => {
      throw new NotApplicable(reason);
    },
  });
}

/** Synchronous as long as every rule is. */
function settled(asked: readonly (Promise<void> | void)[]): Promise<void> | void {
  const waiting = asked.filter((each) => each instanceof Promise);
  if (waiting.length > 0) return Promise.all(waiting).then(() => undefined);
}

function kindOf({ type }: ReleaseObject): string {
  return type.split(':').at(-1) ?? type;
}

import type { Environment } from '../model/environment.ts';
import type { PodOverlay } from '../model/overlay.ts';
import type { Manifest, Metadata } from './manifest.ts';
import { patched } from './patches.ts';

type Declared = Pick<Environment, 'kubernetes'>;
type Fields = Readonly<Record<string, unknown>>;

/**
 * The only place where what is declared beside Verdigris's own manifests is laid over them: labels and annotations,
 * pods, patches.
 */
export function overlaid(environment: Declared, manifest: Manifest): Manifest {
  const { labels, annotations, pods, patches } = environment.kubernetes;
  // What belongs to somebody else, or is a question, is passed on as it is.
  if (manifest.metadata?.labels?.['app.kubernetes.io/managed-by'] !== 'verdigris') return manifest;
  if (patches.length + [labels, annotations, pods].flatMap((each) => Object.keys(each)).length === 0) return manifest;
  const component = manifest.metadata.labels['app.kubernetes.io/component'] as keyof typeof pods | undefined;
  const marked = { ...manifest, metadata: withTexts(manifest.metadata, { labels, annotations }) };
  const overlays: PodOverlay[] = [pods.all, component && pods[component]].filter((each) => each !== undefined);
  return patched(patches, overlays.reduce(withPod, marked));
}

/** What Verdigris has written itself stays. */
function withTexts<T extends Partial<Metadata>>(
  metadata: T,
  { labels, annotations }: Pick<PodOverlay, 'labels' | 'annotations'>,
): T {
  const some = (texts: object | undefined): texts is Fields => Object.keys(texts ?? {}).length > 0;
  return {
    ...metadata,
    ...(some(labels) ? { labels: { ...labels, ...metadata.labels } } : {}),
    ...(some(annotations) ? { annotations: { ...annotations, ...metadata.annotations } } : {}),
  };
}

/** Over the template of whatever runs pods; other objects have none. */
function withPod(manifest: Manifest, overlay: PodOverlay): Manifest {
  const spec = manifest['spec'] as Fields | undefined;
  if (manifest.kind === 'CronJob') {
    const job = spec?.['jobTemplate'] as { readonly spec: Fields };
    return { ...manifest, spec: { ...spec, jobTemplate: { ...job, spec: inTemplate(job.spec, overlay) } } };
  }
  return spec?.['template'] === undefined ? manifest : { ...manifest, spec: inTemplate(spec, overlay) };
}

function inTemplate(spec: Fields, overlay: PodOverlay): Fields {
  const { metadata = {}, spec: pod } = spec['template'] as {
    readonly metadata?: Partial<Metadata>;
    readonly spec: Fields;
  };
  return { ...spec, template: { metadata: withTexts(metadata, overlay), spec: inPod(pod, overlay) } };
}

interface Container extends Fields {
  readonly name: string;
  readonly resources?: { readonly requests?: Fields; readonly limits?: Fields };
}

function inPod(
  pod: Fields,
  { labels: _, annotations: __, resources = {}, sidecars = [], ...overlay }: PodOverlay,
): Fields {
  const { nodeSelector, volumes = [], tolerations = [], topologySpreadConstraints = [], ...plain } = overlay;
  const list = (key: string, more: readonly unknown[]): Fields =>
    more.length === 0 ? {} : { [key]: [...((pod[key] ?? []) as unknown[]), ...more] };
  const containers = (pod['containers'] as Container[]).map((container) => {
    const own = resources[container.name];
    const { requests, limits } = container.resources ?? {};
    return own
      ? {
          ...container,
          resources: { requests: { ...requests, ...own.requests }, limits: { ...limits, ...own.limits } },
        }
      : container;
  });
  return {
    ...pod,
    ...plain,
    ...(nodeSelector ? { nodeSelector: { ...(pod['nodeSelector'] as Fields | undefined), ...nodeSelector } } : {}),
    ...list('tolerations', tolerations),
    ...list('topologySpreadConstraints', topologySpreadConstraints),
    ...list('volumes', volumes),
    containers: [...containers, ...sidecars],
  };
}

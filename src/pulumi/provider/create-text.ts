import type { Environment } from '../../model/environment.ts';
import type { Manifests } from '../../manifests/planned.ts';
import { declaredOf, plan } from '../../model/plan.ts';
import { unborn } from '../../manifests/lives.ts';
import { previewText } from '../../operations/reads/preview-text.ts';

/**
 * What a create will do, in words: how the first colour comes to be, which objects there are then, and the release that
 * follows at once.
 */
export function createText(environment: Environment, objects: Manifests, blocked: string | undefined): string {
  const { live, colours, kubernetes } = environment;
  const { adopt, from, namespace } = kubernetes;
  const { release, postgres } = colours[live] ?? {};
  const origin = adopt
    ? `StatefulSet ${adopt.statefulSet} is taken over as ${live}`
    : from
      ? `${live} is made of ${from.snapshot === undefined ? `a copy of ${from.environment}` : `the VolumeSnapshot ${from.snapshot}`}`
      : `${live} is made, empty`;
  const service =
    adopt?.service &&
    `Service ${adopt.service.name} will lead to the ${adopt.service.to === 'live' ? 'live colour' : 'poolers'}.`;
  const majors = new Set(Object.values(colours).map((colour) => colour.postgres));
  const noUpgrade =
    majors.size > 1 && kubernetes.images.upgrade === undefined
      ? 'the colours declare two majors, and kubernetes.images.upgrade is not declared (major-differs)'
      : undefined;
  const stops = [blocked, noUpgrade].filter((each) => each !== undefined);
  const steps = plan(declaredOf(environment), unborn(environment).journal);
  return [
    `A new environment in the namespace ${namespace}: ${origin}, release ${release} on PostgreSQL ${postgres}.`,
    ...(service === undefined ? [] : [service]),
    `Objects: ${Object.keys(objects).join(', ')}. \`pulumi preview --diff\` shows each.`,
    ...(steps.length > 0 ? [previewText({ steps, longestWait: 0 })] : []),
    ...stops.map((why) => `\`up\` would stop: ${why}`),
  ].join('\n');
}

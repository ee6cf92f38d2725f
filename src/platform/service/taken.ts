import { VerdigrisError } from '../../model/errors.ts';

/** Of an object that somebody else made: clients of another would be moved. */
export function takenObject(where: string): VerdigrisError {
  return new VerdigrisError('service-taken', {
    seen: `${where.charAt(0).toUpperCase()}${where.slice(1)} was not made by this environment.`,
    required: 'a free name: otherwise clients of another Service would be moved.',
    next: 'declare another traffic.name; or, if it is left over from this environment, delete it and run `verdigris start`. Nothing was changed.',
  });
}

/** Of a name that Istio knows already. */
export function takenHost(host: string, entries: readonly string[]): VerdigrisError {
  return new VerdigrisError('service-taken', {
    seen: `Istio knows ${host} already, by the ServiceEntry ${entries.join(', ')}.`,
    required: 'a name of this environment alone: otherwise some clients would stay with what that one leads to.',
    next: 'declare another traffic.serviceEntry.host, or delete that ServiceEntry. Nothing was changed.',
  });
}

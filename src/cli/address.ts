import { InvalidArgumentError, Option } from 'commander';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `--listen`: a port alone is one of loopback. */
export function listenOption(what: string, initial?: Address): Option {
  const option = new Option('--listen <host:port>', what).argParser(address);
  return initial ? option.default(initial, `${initial.host}:${initial.port}`) : option;
}

function address(text: string): Address {
  const [, host = '', port = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  if (port === '' || Number(port) > 65_535) throw new InvalidArgumentError('host:port, or a port of 127.0.0.1');
  return { host: host === '' ? '127.0.0.1' : host.replace(/^\[(.+)\]$/, '$1'), port: Number(port) };
}

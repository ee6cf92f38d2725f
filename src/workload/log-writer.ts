import { closeSync, openSync, writeSync } from 'node:fs';
import type { ErrorLine, LogLine, WorkloadHeader } from './log-lines.ts';

export interface LogWriter {
  sent(writer: number, sequence: number, at: number): void;
  acknowledged(writer: number, sequence: number, at: number, latency: number, colour: string): void;
  failed(line: ErrorLine): void;
  ended(reason: string, at: number): void;
}

/**
 * Each line is handed to the kernel before the call returns, so that it survives the kill of this process and of its
 * parent. An attempt is on file before its first byte is on the wire: a row that is in no line was written by nobody we
 * know.
 */
export function openWorkloadLog(file: string, header: WorkloadHeader): LogWriter {
  const fd = openSync(file, 'w');
  const put = (line: LogLine): void => {
    writeSync(fd, `${JSON.stringify(line)}\n`);
  };
  put(header);
  return {
    sent: (writer, sequence, at) => put(['sent', writer, sequence, at]),
    acknowledged: (writer, sequence, at, latency, colour) => put(['ack', writer, sequence, at, latency, colour]),
    failed: put,
    ended: (reason, at) => {
      put(['end', reason, at]);
      closeSync(fd);
    },
  };
}

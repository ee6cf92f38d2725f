import { Transport } from '../../../src/platform/kubernetes/http.ts';
import { administrator } from './namespace.ts';

/** A drain asks for an eviction, and a budget may refuse it. */
export async function evict(namespace: string, pod: string): Promise<number> {
  const transport = new Transport(administrator());
  try {
    return (
      await transport.send('POST', `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`, {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: pod, namespace },
      })
    ).status;
  } finally {
    transport.close();
  }
}

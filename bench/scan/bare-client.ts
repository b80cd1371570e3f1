import net from 'node:net';
import { measureCpu, type Spent } from '../support/cpu';
import { answerJob } from '../support/processes';
import { addressOf } from '../support/targets';

export interface BareJob {
  net: string;
  addresses: number;
  port: number;
  count: number;
  atOnce: number;
}

/** As long as a hello, and no TLS: the server answers with an alert. */
const REQUEST = Buffer.alloc(300, 1);

/** Connections that only connect, send, read an answer and reset: no scanner on node:net can take less than they do. */
answerJob<BareJob, Spent>(async ({ net: network, addresses, port, count, atOnce }) => {
  const connect = async (connections: number): Promise<void> => {
    let begun = 0;
    const lane = async (): Promise<void> => {
      while (begun < connections) await once({ host: addressOf(network, begun++ % addresses), port });
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
  };
  await connect(count); // to warm up
  return measureCpu(() => connect(count));
});

function once({ host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port });
    socket.on('connect', () => socket.write(REQUEST));
    socket.once('data', () => socket.resetAndDestroy());
    socket.on('error', reject);
    socket.on('close', () => resolve());
  });
}

import net from 'node:net';
import type { LabServer } from '../lab/tls-servers';

/** What a server sends to `request` until `isWhole` says so, or it ends the connection. */
export function record(
  { host, port }: LabServer,
  request: Buffer,
  isWhole: (chunk: Buffer) => boolean,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, host);
    const chunks: Buffer[] = [];
    const finish = (): void => {
      socket.destroy();
      resolve(Buffer.concat(chunks));
    };
    socket.on('error', reject);
    socket.on('end', finish);
    socket.on('data', chunk => {
      chunks.push(chunk);
      if (isWhole(chunk)) finish();
    });
    socket.write(request);
  });
}

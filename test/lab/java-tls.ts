import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { talkingServer, type TalkingServer } from './talking-server';

const SOURCE = join(__dirname, 'java-tls', 'Server.java');
const JAVA = '/usr/bin/java';

/** What Java turns off by default is turned on. */
const EVERYTHING = 'jdk.tls.disabledAlgorithms=\njdk.certpath.disabledAlgorithms=\n';

export const hasJava = (): boolean => existsSync(JAVA);

/** A TLS server of the Java that is installed, with every version from TLS 1.0 on and every suite that it has. */
export async function startJava({ cert, key }: { cert: string; key: string }): Promise<TalkingServer> {
  const folder = await mkdtemp(join(tmpdir(), 'certdesk-java-'));
  const at = (name: string): string => join(folder, name);
  await writeFile(at('cert.pem'), cert);
  await writeFile(at('key.pem'), key, { mode: 0o600 });
  await writeFile(at('java.security'), EVERYTHING);
  const from = ['-in', at('cert.pem'), '-inkey', at('key.pem')];
  await promisify(execFile)('openssl', ['pkcs12', '-export', ...from, '-passout', 'pass:lab', '-out', at('lab.p12')]);
  const child = spawn(JAVA, [`-Djava.security.properties=${at('java.security')}`, SOURCE, at('lab.p12')]);
  return talkingServer(child, 'Java', () => rm(folder, { recursive: true, force: true }));
}

import { readFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { nginxVersion } from './nginx';
import { nmapVersion, sslscanVersion } from './peers';
import { findProgram } from './processes';

/** Says what the figures were measured on, and whether it was doing something else. */
export function printMachine(): void {
  const [cpu] = os.cpus();
  const [load = 0] = os.loadavg();
  console.log(
    `${os.availableParallelism()} cores ${cpu?.model.trim() ?? ''}, ${Math.round(os.totalmem() / 2 ** 30)} GB`,
  );
  console.log(`${readOsName()}, Linux ${os.release()}, Node.js ${process.versions.node}, CertDesk ${ownVersion()}`);
  console.log(`nginx ${nginxVersion()}, sslscan ${sslscanVersion()}, nmap ${nmapVersion()}`);
  if (findProgram('taskset') === null) console.log('No taskset: client and server share cores.');
  if (load > 0.5) {
    console.log(
      `The machine is busy (load ${load.toFixed(1)}): rates and wall times are worth nothing, CPU times little.`,
    );
  }
}

function readOsName(): string {
  try {
    return /^PRETTY_NAME="(.*)"/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? os.type();
  } catch {
    return os.type();
  }
}

function ownVersion(): string {
  const file = join(__dirname, '..', '..', '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

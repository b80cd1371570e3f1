import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SCRIPT = join(__dirname, 'request-tracker.sh');
/** The first time installs a few hundred packages. */
const UP_TIMEOUT_MS = 15 * 60_000;

/** A real Request Tracker 5 on 127.0.0.1. */
export interface RequestTracker {
  url: string;
  /** Of the service account with few rights. */
  token: string;
  adminToken: string;
  username: string;
  password: string;
  queue: string;
  keyField: string;
  /** Ends it unless another process still uses it. Its tickets stay for the next time. */
  stop(): Promise<void>;
}

/**
 * Starts it, or joins the one that runs. Skipped only where it can't be: not on Debian, or not as root. Everywhere else
 * a lab that doesn't come up is a failure.
 */
export async function startRequestTracker(): Promise<RequestTracker | { skipped: string }> {
  if (!existsSync('/etc/debian_version'))
    return { skipped: 'Request Tracker is installed from Debian, which this is not' };
  if (process.getuid?.() !== 0) return { skipped: 'Request Tracker can only be installed by root' };
  const values = readLines(await runScript('up'));
  const value = (name: string): string => {
    const found = values.get(name);
    if (found === undefined) throw new Error(`${SCRIPT} did not print ${name}`);
    return found;
  };
  return {
    url: value('RT_URL'),
    token: value('RT_TOKEN'),
    adminToken: value('RT_ADMIN_TOKEN'),
    username: value('RT_USER'),
    password: value('RT_PASSWORD'),
    queue: value('RT_QUEUE'),
    keyField: value('RT_KEY_FIELD'),
    stop: async () => void (await runScript('down')),
  };
}

async function runScript(verb: 'up' | 'down'): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', [SCRIPT, verb, String(process.pid)], { timeout: UP_TIMEOUT_MS });
  return stdout;
}

/** Lines of the form NAME='value'. */
function readLines(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^(\w+)='(.*)'$/gm)].map(([, name = '', value = '']) => [name, value]));
}

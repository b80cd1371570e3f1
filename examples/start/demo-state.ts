import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issue, makeCa, type Ca } from './certificates';

/** What the demo keeps from one start to the next. */
export interface DemoState {
  ca: Ca;
  /** By server name. */
  certificates: Record<string, { cert: string; key: string }>;
  /** Where each server listened last. */
  places: Record<string, { address: string; port: number }>;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** As most public authorities issue them. */
const LIFETIME_MS = 90 * DAY_MS;

/**
 * How many days a certificate has left when it is made, and between which bounds it is served on at a later start.
 * Expiring: half a day more than five, so that it reads as five days for as long as possible; anew when less than two
 * are left, so that it is always about to expire and never has. The others: never near the usual 30 days.
 */
const DAYS_LEFT: Readonly<Record<string, { made: number; min: number; max: number }>> = {
  'healthy.certdesk.example': { made: 89, min: 60, max: 90 },
  'expiring.certdesk.example': { made: 5.5, min: 2, max: 6 },
  'weak.certdesk.example': { made: 89, min: 60, max: 90 },
};

/** The kept state, or null where there is none that can be read. */
export async function readState(folder: string): Promise<DemoState | null> {
  try {
    const state = JSON.parse(await readFile(stateFile(folder), 'utf8')) as Partial<DemoState>;
    if (state.ca === undefined || state.certificates === undefined || state.places === undefined) return null;
    return state as DemoState;
  } catch {
    return null;
  }
}

/** Keeps the state, keys included, readable by the user only; the authority's certificate goes to `caFile`. */
export async function writeState(folder: string, caFile: string, state: DemoState): Promise<void> {
  await mkdir(folder, { recursive: true });
  const unfinished = `${stateFile(folder)}.new`;
  await writeFile(unfinished, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await rename(unfinished, stateFile(folder));
  await writeFile(caFile, state.ca.cert);
}

/** The state with every certificate fit for use; what is missing, broken or used up is made anew. */
export async function ensureCertificates(kept: DemoState | null, now: Date): Promise<DemoState> {
  const ca = kept !== null && isUsable(kept.ca, null, { now, min: 365, max: Infinity }) ? kept.ca : await newCa(now);
  const certificates: DemoState['certificates'] = {};
  for (const [name, { made, min, max }] of Object.entries(DAYS_LEFT)) {
    const before = kept?.certificates[name];
    const isKept = before !== undefined && isUsable(before, ca, { now, min, max });
    certificates[name] = isKept ? before : await newCertificate(ca, name, new Date(now.getTime() + made * DAY_MS));
  }
  return { ca, certificates, places: kept?.places ?? {} };
}

function stateFile(folder: string): string {
  return join(folder, 'demo.json');
}

/** Older than every certificate that it issues. */
function newCa(now: Date): Promise<Ca> {
  return makeCa('CertDesk Demo CA', { notBefore: new Date(now.getTime() - LIFETIME_MS - DAY_MS) });
}

async function newCertificate(ca: Ca, name: string, notAfter: Date): Promise<{ cert: string; key: string }> {
  const notBefore = new Date(notAfter.getTime() - LIFETIME_MS);
  const { cert, key } = await issue(ca, { commonName: name, dns: [name], notBefore, notAfter });
  return { cert, key };
}

/** Whether certificate and key belong together, were issued by `ca` (null: by itself), and its days are in bounds. */
function isUsable(
  { cert, key }: { cert: string; key: string },
  ca: Ca | null,
  { now, min, max }: { now: Date; min: number; max: number },
): boolean {
  try {
    const x509 = new X509Certificate(cert);
    const issuer = ca === null ? x509 : new X509Certificate(ca.cert);
    const daysLeft = (Date.parse(x509.validTo) - now.getTime()) / DAY_MS;
    return (
      x509.checkPrivateKey(createPrivateKey(key)) &&
      x509.verify(issuer.publicKey) &&
      Date.parse(x509.validFrom) <= now.getTime() &&
      min <= daysLeft &&
      daysLeft <= max
    );
  } catch {
    return false;
  }
}

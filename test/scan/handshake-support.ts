import { makeEndpoint } from '../../lib/model/endpoint';
import { scanBase } from '../../lib/scan/base-scan';
import { Dialogue, type HelloExtras, type Opened } from '../../lib/scan/dialogue';
import type { Incoming } from '../../lib/scan/handshake';
import { Line } from '../../lib/scan/line';
import { newObservation } from '../../lib/scan/observation';
import type { AskingProbe, Judgement } from '../../lib/scan/probes/probe';
import type { Reply } from '../../lib/scan/reply';
import { SUITES, type Suite } from '../../lib/scan/suites/suites';
import { anchorsWith } from '../../lib/scan/trust';
import type { TlsProtocol } from '../../lib/scan/wire/names';
import type { TlsRecord } from '../../lib/scan/wire/records';
import { issue, makeCa, type IssuedCertificate } from '../lab/certificates';
import { startFlawedTls, type Flaws } from '../lab/flawed-tls';
import type { LabServer } from '../lab/tls-servers';

/** By IANA's names. */
export function suitesNamed(...names: string[]): Suite[] {
  return names.map(name => {
    const suite = SUITES.find(one => one.name === name);
    if (suite === undefined) throw new Error(`no suite ${name}`);
    return suite;
  });
}

/** One conversation with `host:port`. */
export async function converse<T>(
  { host, port }: { host: string; port: number },
  protocol: TlsProtocol,
  suites: readonly Suite[],
  use: (opened: Opened) => Promise<T>,
  { timeoutMs = 2000, ...extras }: HelloExtras & { timeoutMs?: number } = {},
): Promise<{ kind: 'used'; value: T } | Reply> {
  const line = new Line({ host, port, timeoutMs, connections: 4, signal: new AbortController().signal });
  const seen = newObservation(makeEndpoint({ domain: 'a.example', ip: host, port, starttls: null }), new Date());
  try {
    return await new Dialogue(line, seen, 'a.example', anchorsWith([])).converse(protocol, suites, extras, use);
  } finally {
    line.close();
  }
}

/** A probe's judgement after the base of a quick scan, and the connections that it alone made. */
export async function judge(
  { host, port }: { host: string; port: number },
  probe: AskingProbe,
  { timeoutMs = 1500 }: { timeoutMs?: number } = {},
): Promise<Judgement & { connections: number }> {
  const line = new Line({ host, port, timeoutMs, connections: 4, signal: new AbortController().signal });
  const seen = newObservation(makeEndpoint({ domain: 'a.example', ip: host, port, starttls: null }), new Date());
  try {
    const dialogue = new Dialogue(line, seen, 'a.example', anchorsWith([]));
    await scanBase(dialogue, { profile: 'quick' });
    await line.idle();
    const before = line.opened;
    const judgement = await probe.ask(dialogue);
    await line.idle();
    return { ...judgement, connections: line.opened - before };
  } finally {
    line.close();
  }
}

/** Servers of one suite of tests, with certificates of a CA of its own; they end with each test. */
export interface AttackLab {
  readonly rsa: IssuedCertificate;
  readonly ec: IssuedCertificate;
  readonly up: <T extends LabServer>(starting: Promise<T>) => Promise<T>;
  readonly flawed: (flaws: Flaws) => Promise<LabServer>;
}

/** To be called in a `describe`: it makes the certificates before, and ends the servers after each test. */
export function attackLab(root: string): AttackLab {
  const open: LabServer[] = [];
  let rsa: IssuedCertificate;
  let ec: IssuedCertificate;
  before(async () => {
    const ca = await makeCa(root);
    rsa = await issue(ca, { commonName: 'a.example', dns: ['a.example'] });
    ec = await issue(ca, { commonName: 'a.example', dns: ['a.example'], keyType: 'ec256' });
  });
  afterEach(() => Promise.all(open.splice(0).map(server => server.close())));
  const up = async <T extends LabServer>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    open.push(server);
    return server;
  };
  return {
    get rsa() {
      return rsa;
    },
    get ec() {
      return ec;
    },
    up,
    flawed: flaws => up(startFlawedTls({ ...rsa, flaws })),
  };
}

/** A record where there must be one. */
export function recordOf(incoming: Incoming): TlsRecord {
  if (typeof incoming === 'string') throw new Error(`no record came: ${incoming}`);
  return incoming;
}

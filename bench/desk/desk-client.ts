import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import Database from 'libsql';
import type { Helpdesk, HelpdeskType } from '../../lib/helpdesks/helpdesk';
import { local } from '../../lib/helpdesks/local';
import { requestTracker } from '../../lib/helpdesks/request-tracker';
import { makeEndpoint } from '../../lib/model/endpoint';
import type { Finding } from '../../lib/model/finding';
import type { TicketRecord } from '../../lib/model/ticket';
import { openRepository } from '../../lib/repository/open';
import type { Repository } from '../../lib/repository/repository';
import { Desk } from '../../lib/tickets/desk';
import { DEFAULT_TICKET_SETTINGS } from '../../lib/tickets/settings';
import { answerJob } from '../support/processes';
import { keyOf, nameOf, subjectOf } from './names';

export interface DeskJob {
  /** For the repository and the table of plain inserts. */
  folder: string;
  count: number;
  /** Findings handed over and not answered yet, at most. */
  waiting: number;
  /** Only writes the records of an earlier run, and ends. */
  isSetUp?: boolean;
  /** A Request Tracker that knows the tickets of all keys, open; without one the embedded desk makes them. */
  requestTracker?: { url: string; token: string; queue: string };
}

export interface DeskFigures {
  wallMs: number;
  /** So many inserts of a row as long as a record into a SQLite file with the same settings, one commit each. */
  plainMs: number;
  /** Delay of the event loop, 99th percentile. */
  p99Ms: number;
  peakRssMb: number;
  actions: Record<string, number>;
}

answerJob<DeskJob, DeskFigures>(async ({ folder, count, waiting, isSetUp, requestTracker: rt }) => {
  const repository = await openRepository({ kind: 'sqlite', path: join(folder, 'repository.db') });
  const services = { localTickets: repository.localTickets, now: () => new Date() };
  const type = rt === undefined ? local : requestTracker;
  const values: Record<string, string> =
    rt === undefined ? {} : { url: rt.url, token: rt.token, keyField: 'CertDesk Key' };
  const helpdesk = type.connect({ values, statusMap: {} }, services);
  if (isSetUp === true) {
    await remember(repository, count);
    await repository.close();
    return { wallMs: 0, plainMs: 0, p99Ms: 0, peakRssMb: 0, actions: {} };
  }
  const plainMs = rt === undefined ? insertPlain(join(folder, 'plain.db'), count) : 0;
  const desk = openDesk(repository, type, helpdesk, rt?.queue);
  await desk.start();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const startedAt = performance.now();
  const actions: Record<string, number> = {};
  const handle = async (finding: Finding): Promise<void> => {
    const { action } = await desk.handle(finding, { message: {} });
    actions[action] = (actions[action] ?? 0) + 1;
  };
  let next = 0;
  const handleSome = async (): Promise<void> => {
    while (next < count) await handle(findingOf(next++));
  };
  await Promise.all(Array.from({ length: waiting }, handleSome));
  const wallMs = performance.now() - startedAt;
  delay.disable();
  await desk.close();
  await repository.close();
  const peakRssMb = process.resourceUsage().maxRSS / 1024;
  return { wallMs, plainMs, p99Ms: delay.percentile(99) / 1e6, peakRssMb, actions };
});

function openDesk(repository: Repository, type: HelpdeskType, helpdesk: Helpdesk, queue: string | undefined): Desk {
  return new Desk({
    ...{ desk: DESK, nodeId: 'bench', type, repository, helpdesk },
    settings: { ...DEFAULT_TICKET_SETTINGS, target: queue === undefined ? {} : { queue } },
    scannedBy: 'CertDesk running at https://node-red.example:1880',
    onRecord: () => undefined,
    onParked: error => console.error(error.message),
    onQueue: ({ reason }) => reason !== null && console.error(reason),
  });
}

const DESK = 'bench';

/** The records of an earlier run. */
async function remember(repository: Repository, count: number): Promise<void> {
  const saves = Array.from({ length: count }, (_, index) => repository.saveTicket(DESK, recordOf(index)));
  await Promise.all(saves);
}

function insertPlain(path: string, count: number): number {
  const database = new Database(path);
  database.exec('pragma journal_mode = WAL; pragma foreign_keys = ON; pragma synchronous = FULL');
  database.exec('create table plain (key text primary key, record text not null)');
  const insert = database.prepare('insert into plain values (?, ?)');
  const record = JSON.stringify(recordOf(0));
  const startedAt = performance.now();
  for (let index = 0; index < count; index++) insert.run(keyOf(index), record);
  const took = performance.now() - startedAt;
  database.close();
  return took;
}

function findingOf(index: number): Finding {
  const name = nameOf(index);
  return {
    kind: 'expiry',
    state: 'active',
    key: keyOf(index),
    certificate: {
      commonName: name,
      subjectAltNames: [name],
      issuer: 'CN=Bench CA',
      subject: `CN=${name}`,
      serialNumber: index.toString(16).toUpperCase(),
      notBefore: '2026-09-01T00:00:00.000Z',
      notAfter: '2026-12-01T00:00:00.000Z',
      signatureAlgorithm: 'sha256WithRSAEncryption',
      keyType: 'RSA',
      keyBits: 2048,
      fingerprint256: index.toString(16).padStart(64, '0'),
      selfSigned: false,
      pem: '',
    },
    endpoints: [makeEndpoint({ domain: name, ip: '192.0.2.1', port: 443, starttls: null })],
    detectedAt: '2026-11-25T12:00:00.000Z',
    runId: 'bench-run',
    daysLeft: 5,
  };
}

function recordOf(index: number): TicketRecord {
  const { key, kind, certificate, endpoints } = findingOf(index);
  const at = '2026-11-24T12:00:00.000Z';
  const id = String(index + 1);
  return {
    ...{ action: 'created', helpdesk: 'request-tracker', id, number: id, url: null, status: 'Open' },
    ...{ nativeStatus: 'new', priority: 'High', key, kind, subject: subjectOf(index) },
    ...{ domain: certificate.commonName, ip: '192.0.2.1', serialNumber: certificate.serialNumber, endpoints },
    ...{ createdAt: at, updatedAt: at },
  };
}

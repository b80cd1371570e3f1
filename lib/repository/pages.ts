import type { Kysely } from 'kysely';
import type { Certificate } from '../model/certificate';
import { daysLeft } from '../model/dates';
import type { Endpoint } from '../model/endpoint';
import type { RunSummary } from '../model/report';
import type { TicketRecord } from '../model/ticket';
import { limitOf, makePage, readCursor } from './cursor';
import { fromJson } from './json';
import type { CertificateItem, Page, PageQuery } from './repository';
import type { Schema } from './schema';
import type { Sightings } from './sightings';
import type { Store } from './store';

/** What the admin routes show, newest first. */
export class Pages {
  readonly #store: Store;
  readonly #sightings: Sightings;
  readonly #now: () => Date;
  constructor(store: Store, sightings: Sightings, now: () => Date) {
    this.#store = store;
    this.#sightings = sightings;
    this.#now = now;
  }

  /** By the time they were first seen. */
  async certificates(query: PageQuery): Promise<Page<CertificateItem>> {
    const [limit, after] = [limitOf(query), readCursor(query.after, 2)];
    await this.#sightings.flush();
    const { rows, total } = await this.#store.read(async db => ({
      rows: await db
        .selectFrom('certificate')
        .select(['fingerprint', 'certificate', 'first_seen_at', 'last_seen_at'])
        .$if(after !== null, query =>
          query.where(eb =>
            eb(eb.refTuple('first_seen_at', 'fingerprint'), '<', eb.tuple(after?.[0] ?? '', after?.[1] ?? '')),
          ),
        )
        .orderBy('first_seen_at', 'desc')
        .orderBy('fingerprint', 'desc')
        .limit(limit + 1)
        .execute(),
      total: await count(db, 'certificate'),
    }));
    const places = await this.#placesOf(rows.slice(0, limit).map(row => row.fingerprint));
    const now = this.#now();
    return makePage(rows, limit, {
      total,
      cursorOf: row => [row.first_seen_at, row.fingerprint],
      toItem: row => {
        const certificate = fromJson<Certificate>(row.certificate);
        return {
          ...certificate,
          ...(places.get(row.fingerprint) ?? { endpoints: [], current: false }),
          firstSeenAt: row.first_seen_at,
          lastSeenAt: row.last_seen_at,
          daysLeft: daysLeft(certificate.notAfter, now),
        };
      },
    });
  }

  /** Of every desk, by the time they were created. */
  async tickets(query: PageQuery): Promise<Page<TicketRecord>> {
    const [limit, after] = [limitOf(query), readCursor(query.after, 3)];
    const { rows, total } = await this.#store.read(async db => ({
      rows: await db
        .selectFrom('ticket')
        .selectAll()
        .$if(after !== null, query =>
          query.where(eb =>
            eb(
              eb.refTuple('created_at', 'key', 'desk'),
              '<',
              eb.tuple(after?.[0] ?? '', after?.[1] ?? '', after?.[2] ?? ''),
            ),
          ),
        )
        .orderBy('created_at', 'desc')
        .orderBy('key', 'desc')
        .orderBy('desk', 'desc')
        .limit(limit + 1)
        .execute(),
      total: await count(db, 'ticket'),
    }));
    return makePage(rows, limit, {
      total,
      cursorOf: row => [row.created_at, row.key, row.desk],
      toItem: row => fromJson<TicketRecord>(row.record),
    });
  }

  /** Those that ended, by the time they did. */
  async runs(query: PageQuery): Promise<Page<RunSummary>> {
    const [limit, after] = [limitOf(query), readCursor(query.after, 2)];
    const { rows, total } = await this.#store.read(async db => ({
      rows: await db
        .selectFrom('run')
        .select(['run_id', 'finished_at', 'summary'])
        .where('finished_at', 'is not', null)
        .$if(after !== null, query =>
          query.where(eb =>
            eb(eb.refTuple('finished_at', 'run_id'), '<', eb.tuple(after?.[0] ?? '', after?.[1] ?? '')),
          ),
        )
        .orderBy('finished_at', 'desc')
        .orderBy('run_id', 'desc')
        .limit(limit + 1)
        .execute(),
      total: await count(db, 'run', 'finished_at'),
    }));
    return makePage(rows, limit, {
      total,
      cursorOf: row => [row.finished_at ?? '', row.run_id],
      toItem: row => fromJson<RunSummary>(row.summary ?? 'null'),
    });
  }

  async #placesOf(fingerprints: string[]): Promise<Map<string, Pick<CertificateItem, 'endpoints' | 'current'>>> {
    const holders = await this.#sightings.holders(fingerprints);
    const known = await this.#sightings.recent(holders.map(holder => holder.endpoint));
    const places = new Map(
      fingerprints.map(fingerprint => [fingerprint, { endpoints: [] as Endpoint[], current: false }]),
    );
    for (const { endpoint, sightings } of known) {
      for (const fingerprint of new Set(sightings.flatMap(sighting => sighting.fingerprints))) {
        const place = places.get(fingerprint);
        place?.endpoints.push(endpoint);
        if (place !== undefined && sightings[0]?.fingerprints.includes(fingerprint)) place.current = true;
      }
    }
    return places;
  }
}

async function count(
  db: Kysely<Schema>,
  table: 'certificate' | 'ticket' | 'run',
  column?: 'finished_at',
): Promise<number> {
  const { total } = await db
    .selectFrom(table)
    .select(eb => (column === undefined ? eb.fn.countAll() : eb.fn.count(column)).as('total'))
    .executeTakeFirstOrThrow();
  return Number(total);
}

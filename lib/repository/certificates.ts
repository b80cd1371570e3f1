import { sql, type Transaction } from 'kysely';
import type { Certificate } from '../model/certificate';
import { inChunks } from './chunks';
import { fromJson } from './json';
import type { Schema } from './schema';
import type { Store } from './store';

/** Certificates seen, each kept once by its fingerprint and for ever. */
export class Certificates {
  readonly #store: Store;
  constructor(store: Store) {
    this.#store = store;
  }

  async byFingerprint(fingerprints: string[]): Promise<Map<string, Certificate>> {
    const rows = await inChunks(fingerprints, chunk =>
      this.#store.read(db =>
        db.selectFrom('certificate').select(['fingerprint', 'certificate']).where('fingerprint', 'in', chunk).execute(),
      ),
    );
    return new Map(rows.map(row => [row.fingerprint, fromJson<Certificate>(row.certificate)]));
  }

  async ambiguous(fingerprints: string[]): Promise<Set<string>> {
    const rows = await inChunks(fingerprints, chunk =>
      this.#store.read(db =>
        db
          .selectFrom('certificate as one')
          .innerJoin('certificate as other', join =>
            join
              .onRef('other.serial_number', '=', 'one.serial_number')
              .onRef('other.issuer', '=', 'one.issuer')
              .onRef('other.fingerprint', '<>', 'one.fingerprint'),
          )
          .select('one.fingerprint')
          .distinct()
          .where('one.fingerprint', 'in', chunk)
          .execute(),
      ),
    );
    return new Set(rows.map(row => row.fingerprint));
  }
}

interface Seen {
  certificate: Certificate;
  first: string;
  last: string;
}

/** Inserts the new ones; of those known only the times they were seen first and last move. */
export async function storeCertificates(
  trx: Transaction<Schema>,
  seen: { certificate: Certificate; at: string }[],
): Promise<void> {
  const byFingerprint = new Map<string, Seen>();
  for (const { certificate, at } of seen) {
    const other = byFingerprint.get(certificate.fingerprint256);
    byFingerprint.set(certificate.fingerprint256, {
      certificate,
      first: other !== undefined && other.first < at ? other.first : at,
      last: other !== undefined && other.last > at ? other.last : at,
    });
  }
  if (byFingerprint.size === 0) return;
  const rows = await trx
    .selectFrom('certificate')
    .select(['fingerprint', 'first_seen_at', 'last_seen_at'])
    .where('fingerprint', 'in', [...byFingerprint.keys()])
    .execute();
  const moved: Seen[] = [];
  for (const row of rows) {
    const now = byFingerprint.get(row.fingerprint);
    byFingerprint.delete(row.fingerprint);
    if (now !== undefined && (now.first < row.first_seen_at || now.last > row.last_seen_at)) moved.push(now);
  }
  if (moved.length > 0) await moveTimes(trx, moved);
  if (byFingerprint.size > 0) await insert(trx, [...byFingerprint.values()]);
}

async function insert(trx: Transaction<Schema>, seen: Seen[]): Promise<void> {
  await trx
    .insertInto('certificate')
    .values(
      seen.map(({ certificate, first, last }) => ({
        fingerprint: certificate.fingerprint256,
        // Only compared; a NUL, which a certificate may hold, has no place in PostgreSQL's text.
        issuer: certificate.issuer.replaceAll('\0', '\\0'),
        serial_number: certificate.serialNumber,
        certificate: JSON.stringify(certificate),
        first_seen_at: first,
        last_seen_at: last,
      })),
    )
    .execute();
}

/** One statement for all. SQLite and PostgreSQL both name the columns of a bare VALUES column1, column2, …. */
async function moveTimes(trx: Transaction<Schema>, seen: Seen[]): Promise<void> {
  const values = seen.map(({ certificate, first, last }) => sql`(${certificate.fingerprint256}, ${first}, ${last})`);
  await sql`
    update certificate set
      first_seen_at = case when seen.column2 < first_seen_at then seen.column2 else first_seen_at end,
      last_seen_at = case when seen.column3 > last_seen_at then seen.column3 else last_seen_at end
    from (values ${sql.join(values)}) as seen
    where certificate.fingerprint = seen.column1`.execute(trx);
}

import type { Transaction } from 'kysely';
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

/** Inserts the new ones; of those known only the times they were seen first and last move. */
export async function storeCertificates(
  trx: Transaction<Schema>,
  seen: { certificate: Certificate; at: string }[],
): Promise<void> {
  const times = new Map<string, { certificate: Certificate; first: string; last: string }>();
  for (const { certificate, at } of seen) {
    const known = times.get(certificate.fingerprint256);
    times.set(certificate.fingerprint256, {
      certificate,
      first: known !== undefined && known.first < at ? known.first : at,
      last: known !== undefined && known.last > at ? known.last : at,
    });
  }
  if (times.size === 0) return;
  await trx
    .insertInto('certificate')
    .values(
      [...times].map(([fingerprint, { certificate, first, last }]) => ({
        fingerprint,
        issuer: certificate.issuer,
        serial_number: certificate.serialNumber,
        certificate: JSON.stringify(certificate),
        first_seen_at: first,
        last_seen_at: last,
      })),
    )
    .onConflict(conflict =>
      conflict.column('fingerprint').doUpdateSet(eb => ({
        first_seen_at: eb
          .case()
          .when('excluded.first_seen_at', '<', eb.ref('certificate.first_seen_at'))
          .then(eb.ref('excluded.first_seen_at'))
          .else(eb.ref('certificate.first_seen_at'))
          .end(),
        last_seen_at: eb
          .case()
          .when('excluded.last_seen_at', '>', eb.ref('certificate.last_seen_at'))
          .then(eb.ref('excluded.last_seen_at'))
          .else(eb.ref('certificate.last_seen_at'))
          .end(),
      })),
    )
    .execute();
}

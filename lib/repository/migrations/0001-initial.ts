import type { Kysely } from 'kysely';
import { isPostgres, textType } from './product';

/** The tables of version 0.1.0. What a released migration makes is never changed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const text = textType(db);
  await db.schema
    .createTable('run')
    .addColumn('run_id', text, col => col.primaryKey())
    .addColumn('started_at', text, col => col.notNull())
    .addColumn('forced', 'integer', col => col.notNull())
    .addColumn('finished_at', text)
    .addColumn('summary', text)
    .execute();
  await db.schema.createIndex('run_finished').on('run').columns(['finished_at', 'run_id']).execute();
  await db.schema.createIndex('run_started').on('run').column('started_at').execute();
  await createSeen(db);
  await createTold(db);
  await createDesk(db);
}

async function createSeen(db: Kysely<unknown>): Promise<void> {
  const text = textType(db);
  await db.schema
    .createTable('certificate')
    .addColumn('fingerprint', text, col => col.primaryKey())
    .addColumn('issuer', text, col => col.notNull())
    .addColumn('serial_number', text, col => col.notNull())
    .addColumn('certificate', text, col => col.notNull())
    .addColumn('first_seen_at', text, col => col.notNull())
    .addColumn('last_seen_at', text, col => col.notNull())
    .execute();
  const serial = db.schema.createIndex('certificate_serial').on('certificate');
  // Whoever made a certificate may have made its names longer than PostgreSQL's trees take, not than its hashes do.
  await (
    isPostgres(db) ? serial.using('hash').column('serial_number') : serial.columns(['serial_number', 'issuer'])
  ).execute();
  await db.schema
    .createIndex('certificate_first_seen')
    .on('certificate')
    .columns(['first_seen_at', 'fingerprint'])
    .execute();

  await db.schema
    .createTable('evidence')
    .addColumn('id', text, col => col.primaryKey())
    .addColumn('ciphers', text, col => col.notNull())
    .addColumn('checks', text, col => col.notNull())
    .execute();

  await db.schema
    .createTable('endpoint')
    .addColumn('name', text, col => col.primaryKey())
    .addColumn('domain', text)
    .addColumn('ip', text, col => col.notNull())
    .addColumn('port', 'integer', col => col.notNull())
    .addColumn('starttls', text)
    .addColumn('place', text, col => col.notNull())
    .addColumn('first_seen_at', text, col => col.notNull())
    .addColumn('last_run_id', text, col => col.notNull())
    .addColumn('last_status', text, col => col.notNull())
    .addColumn('last_seen_at', text, col => col.notNull())
    .addColumn('recent', text, col => col.notNull())
    .addColumn('evidence_run_id', text)
    .addColumn('evidence_at', text)
    .addColumn('evidence_id', text, col => col.references('evidence.id'))
    .execute();
  await db.schema.createIndex('endpoint_evidence').on('endpoint').column('evidence_id').execute();
  await db.schema.createIndex('endpoint_place').on('endpoint').column('place').execute();

  await db.schema
    .createTable('endpoint_certificate')
    .addColumn('fingerprint', text, col => col.notNull())
    .addColumn('endpoint', text, col => col.notNull().references('endpoint.name'))
    .addPrimaryKeyConstraint('endpoint_certificate_pk', ['fingerprint', 'endpoint'])
    .execute();
  await db.schema.createIndex('endpoint_certificate_endpoint').on('endpoint_certificate').column('endpoint').execute();

  await db.schema
    .createTable('sighting')
    .addColumn('run_id', text, col => col.notNull().references('run.run_id'))
    .addColumn('endpoint', text, col => col.notNull())
    .addColumn('at', text, col => col.notNull())
    .addColumn('status', text, col => col.notNull())
    .addColumn('fingerprints', text, col => col.notNull())
    .addPrimaryKeyConstraint('sighting_pk', ['run_id', 'endpoint'])
    .execute();
}

async function createTold(db: Kysely<unknown>): Promise<void> {
  const text = textType(db);
  await db.schema
    .createTable('finding')
    .addColumn('key', text, col => col.primaryKey())
    .addColumn('kind', text, col => col.notNull())
    .addColumn('place', text)
    .addColumn('active_at', text, col => col.notNull())
    .addColumn('cleared_at', text)
    .addColumn('causes', text, col => col.notNull())
    .addColumn('finding', text, col => col.notNull())
    .execute();
  await db.schema.createIndex('finding_place').on('finding').columns(['kind', 'place']).execute();

  await db.schema
    .createTable('notice')
    .addColumn('memory', text, col => col.notNull())
    .addColumn('key', text, col => col.notNull())
    .addColumn('notice', text, col => col.notNull())
    .addPrimaryKeyConstraint('notice_pk', ['memory', 'key'])
    .execute();

  await db.schema
    .createTable('retired')
    .addColumn('memory', text, col => col.notNull())
    .addColumn('key_or_place', text, col => col.notNull())
    .addPrimaryKeyConstraint('retired_pk', ['memory', 'key_or_place'])
    .execute();
}

async function createDesk(db: Kysely<unknown>): Promise<void> {
  const text = textType(db);
  await db.schema
    .createTable('ticket')
    .addColumn('desk', text, col => col.notNull())
    .addColumn('key', text, col => col.notNull())
    .addColumn('created_at', text, col => col.notNull())
    .addColumn('record', text, col => col.notNull())
    .addPrimaryKeyConstraint('ticket_pk', ['desk', 'key'])
    .execute();
  await db.schema.createIndex('ticket_created').on('ticket').columns(['created_at', 'key', 'desk']).execute();

  await db.schema
    .createTable('claim')
    .addColumn('desk', text, col => col.notNull())
    .addColumn('key', text, col => col.notNull())
    .addColumn('owner', text, col => col.notNull())
    .addColumn('expires_at', text, col => col.notNull())
    .addPrimaryKeyConstraint('claim_pk', ['desk', 'key'])
    .execute();

  await db.schema
    .createTable('carried')
    .addColumn('desk', text, col => col.notNull())
    .addColumn('key', text, col => col.notNull())
    .addColumn('run_id', text, col => col.notNull())
    .addColumn('state', text, col => col.notNull())
    .addColumn('at', text, col => col.notNull())
    .addColumn('record', text, col => col.notNull())
    .addPrimaryKeyConstraint('carried_pk', ['desk', 'key', 'run_id', 'state'])
    .execute();
  await db.schema.createIndex('carried_at').on('carried').column('at').execute();

  await db.schema
    .createTable('work')
    .addColumn('id', text, col => col.primaryKey())
    .addColumn('desk', text, col => col.notNull())
    .addColumn('key', text, col => col.notNull())
    .addColumn('created_at', text, col => col.notNull())
    .addColumn('work', text, col => col.notNull())
    .execute();
  await db.schema.createIndex('work_desk').on('work').columns(['desk', 'created_at', 'id']).execute();

  await db.schema
    .createTable('counter')
    .addColumn('name', text, col => col.primaryKey())
    .addColumn('value', 'integer', col => col.notNull())
    .execute();

  await db.schema
    .createTable('local_ticket')
    .addColumn('id', 'integer', col => col.primaryKey())
    .addColumn('key', text, col => col.notNull())
    .addColumn('status', text, col => col.notNull())
    .addColumn('updated_at', text, col => col.notNull())
    .addColumn('ticket', text, col => col.notNull())
    .execute();
  await db.schema.createIndex('local_ticket_key').on('local_ticket').column('key').execute();

  await db.schema
    .createTable('local_note')
    .addColumn('ticket_id', 'integer', col => col.notNull().references('local_ticket.id'))
    .addColumn('position', 'integer', col => col.notNull())
    .addColumn('note', text, col => col.notNull())
    .addPrimaryKeyConstraint('local_note_pk', ['ticket_id', 'position'])
    .execute();
}

import type { Migration } from 'kysely';
import * as initial from './0001-initial';
import * as openTickets from './0002-open-tickets';

/** Every released version's step, in order. Names are kept in the database: never rename one. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-initial': initial,
  '0002-open-tickets': openTickets,
};

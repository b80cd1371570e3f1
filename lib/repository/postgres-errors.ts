import type { Fault } from './batch';

/** Codes of five characters: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** The session is over: the server stops, was told to end it, or has waited too long for us. Class 08: connections. */
const SESSION_OVER = /^(08...|57P0[1-5]|25P03)$/;
/** Of node:net and node:dns. */
const NETWORK = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|EAI_AGAIN)$/;
/** pg's own, which have no code. */
const PG_LOST = /^(Connection terminated|Query read timeout|timeout exceeded|Client (has encountered|was closed))/;
/** Rolled back for the sake of others, or waited for them too long, or too many of them. */
const BUSY = /^(40001|40P01|55P03|53300)$/;

/** Whether the connection is gone, or never came to be, and with it the transaction, unless it was committed. */
export function isLost(error: unknown): boolean {
  const code = codeOf(error);
  return SESSION_OVER.test(code) || NETWORK.test(code) || PG_LOST.test(messageOf(error));
}

export function isBusy(error: unknown): boolean {
  return isLost(error) || BUSY.test(codeOf(error));
}

/**
 * Class 22 is about the data itself (a NUL character, a number too large), 54 about its size; class 23, a broken rule, is
 * most likely so.
 */
export function faultOf(error: unknown): Fault {
  const code = codeOf(error);
  if (!SQLSTATE.test(code)) return null;
  if (code.startsWith('22') || code.startsWith('54')) return 'item';
  return code.startsWith('23') ? 'item-perhaps' : null;
}

const GRANT = 'Make it the owner of the database, or grant it what the help of the repository node lists.';
const WAITS = 'What waits is written when it is back.';

/** What to do; the first that matches code and text counts. */
const ADVICE: readonly [code: RegExp, text: RegExp, advice: string][] = [
  [/^28P01$/, /./, 'The user name or the password is wrong. Correct them in the repository node and deploy.'],
  [/^28000$/, /does not exist/, 'There is no such user. Create it, or correct the user name and deploy.'],
  [
    /^28000$/,
    /no encryption/,
    'The server may ask for TLS: choose a TLS configuration. Else have pg_hba.conf let us in.',
  ],
  [/^28/, /./, 'The server does not let this user in from here. Have its administrator add a line to pg_hba.conf.'],
  [/./, /^SASL.*password/, 'The server asks for a password. Fill it in in the repository node and deploy.'],
  [/^3D000$/, /./, 'There is no such database. Create it with this user as its owner, or correct its name and deploy.'],
  [/^3F000$/, /./, 'The user has no schema to make tables in. Make it the owner of the database.'],
  [/^42501$/, /./, `The user lacks a right. ${GRANT}`],
  [/^42P07$/, /./, 'Another application uses these names. Give CertDesk a database of its own.'],
  [/^(42P01|42703)$/, /./, 'Tables of CertDesk are missing or were changed. Restore a backup.'],
  [/^53300$/, /./, 'The server has no connection left. Raise its max_connections, or end what holds so many.'],
  [/^(53100|58030)$/, /./, 'The disk of the server is full or fails. Make room there; what waits is written then.'],
  [/^53/, /./, `The server has too little memory or other resources. ${WAITS}`],
  [/^57P03$/, /./, `The server is starting or stopping. ${WAITS}`],
  [/^57P0/, /./, `The server was stopped, or its administrator ended the session. ${WAITS}`],
  [/^25006$/, /./, 'The database can only be read: it may be a standby. Connect to the server that takes writes.'],
  [/^(55P03|40001|40P01)$/, /./, 'Another process keeps it locked. End what else writes to this database.'],
  [/^XX00[12]$/, /./, 'The database is damaged. Stop Node-RED and restore a backup.'],
  [/^(22021|22P05)$/, /./, 'A text holds a character that PostgreSQL cannot keep, such as NUL.'],
  [/^ECONNREFUSED$/, /./, `No server answers there. Start it, or correct host and port. ${WAITS}`],
  [/^ENOTFOUND$/, /./, 'The name of the host is unknown. Correct it and deploy.'],
  [/^ENOENT$/, /./, 'There is no socket of a server in that folder. Start it, or correct host and port.'],
  [/./, /does not support SSL/, 'The server has TLS turned off. Turn it on there, or take the TLS configuration away.'],
  [
    /^(ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|INVALID_CA|ERR_SSL|HOSTNAME_MISMATCH)/,
    /./,
    "The server's certificate is not trusted for this host. Give its CA to the TLS configuration.",
  ],
];

export function explain(error: unknown): string | null {
  const [code, text] = [codeOf(error), messageOf(error)];
  const found = ADVICE.find(([codes, texts]) => codes.test(code || '-') && texts.test(text || '-'));
  if (found !== undefined) return found[2];
  return isLost(error) ? `The connection to the server was lost or could not be made. ${WAITS}` : null;
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}

import { CertDeskError } from '../model/errors';
import type { Field } from './helpdesk';

/** Credentials as a header, and every form of them that must never show. */
export interface Authorization {
  headers: Record<string, string>;
  secrets: string[];
}

/** The choice between a token and a password. */
export function authFields(howToGetToken: string): Field[] {
  return [
    {
      name: 'auth',
      label: 'Authentication',
      type: 'select',
      options: ['token', 'basic'],
      default: 'token',
      help: 'By a token, or by user name and password.',
    },
    { name: 'token', label: 'Token', type: 'password', secret: true, help: howToGetToken },
    { name: 'username', label: 'User name', type: 'text', secret: true, help: 'For authentication by password.' },
    { name: 'password', label: 'Password', type: 'password', secret: true, help: 'For authentication by password.' },
  ];
}

/**
 * @param label helpdesk, for the error
 * @param scheme what stands before a token in the header
 * @throws CertDeskError `CONFIG` naming what is not filled in
 */
export function authorization(values: Readonly<Record<string, string>>, label: string, scheme: string): Authorization {
  if (values.auth === 'basic') {
    const { username = '', password = '' } = values;
    if (username === '' || password === '') {
      throw new CertDeskError('CONFIG', `Enter user name and password in the connection to ${label}.`);
    }
    const pair = Buffer.from(`${username}:${password}`).toString('base64');
    return { headers: { Authorization: `Basic ${pair}` }, secrets: [password, pair] };
  }
  const token = values.token ?? '';
  if (token === '') throw new CertDeskError('CONFIG', `Enter a token in the connection to ${label}.`);
  return { headers: { Authorization: `${scheme} ${token}` }, secrets: [token] };
}

import type { Field } from './helpdesk';

/** Connection properties that every helpdesk reached over HTTP has. */
export const URL_FIELD: Field = {
  name: 'url',
  label: 'URL',
  type: 'text',
  required: true,
  help: 'Address of the helpdesk as a browser opens it, with https:// and without what follows the main page.',
};

export const COMMON_FIELDS: readonly Field[] = [
  {
    name: 'tls',
    label: 'TLS',
    type: 'config',
    configType: 'tls-config',
    help: 'Needed when the helpdesk has a certificate of your own authority or asks for a client certificate.',
  },
  {
    name: 'proxy',
    label: 'Proxy',
    type: 'config',
    configType: 'http proxy',
    help: 'Needed when Node-RED reaches the helpdesk through a proxy.',
  },
  {
    name: 'statusMap',
    label: 'Status map',
    type: 'json',
    default: '{}',
    help:
      'Statuses that your helpdesk calls by other names, as JSON: native name or id to Open, In Progress, On Hold, ' +
      'Resolved, Canceled or Closed.',
  },
];

/** The field that holds our key; administrators call it what they like. */
export function keyField(defaultName: string, help: string): Field {
  return { name: 'keyField', label: 'Key field', type: 'text', default: defaultName, required: true, help };
}

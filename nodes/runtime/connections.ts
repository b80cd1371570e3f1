import type { Node, NodeAPI } from 'node-red';
import type { Helpdesk, HelpdeskType } from '../../lib/helpdesks/helpdesk';
import { CertDeskError } from '../../lib/model/errors';
import { TICKET_STATUSES, type TicketStatus } from '../../lib/model/ticket';
import type { Repository } from '../../lib/repository/repository';
import { json, text, type Config } from './config';
import { proxySettings, tlsOptions } from './core-nodes';

/** A config node of type `certdesk-helpdesk-<helpdesk>`. */
export interface ConnectionNode extends Node<Record<string, string>> {
  config: Config;
}

/**
 * The name under which a helpdesk's tickets are kept: the same after a re-import of the flow. It lacks the address
 * while the connection does.
 */
export function deskName(RED: NodeAPI, config: Config, type: HelpdeskType): string {
  if (type.connectionFields.length === 0) return type.name;
  const url = text(connectionNode(RED, config)?.config ?? {}, 'url');
  return `${type.name}:${url.replace(/\/+$/, '').toLowerCase()}`;
}

/** Connects what the ticket node's property `connection` names. Throws CONFIG naming the field that is missing. */
export function connectHelpdesk(RED: NodeAPI, config: Config, type: HelpdeskType, repository: Repository): Helpdesk {
  const services = { localTickets: repository.localTickets, now: () => new Date() };
  if (type.connectionFields.length === 0) return type.connect({ values: {}, statusMap: {} }, services);
  const node = connectionNode(RED, config);
  if (node === null) {
    throw new CertDeskError('CONFIG', `connection: choose a ${type.label} connection in the dialog and deploy.`);
  }
  const values: Record<string, string> = {};
  for (const field of type.connectionFields) {
    if (field.type === 'config' || field.name === 'statusMap') continue;
    const value = text(field.secret ? (node.credentials ?? {}) : node.config, field.name, field.default);
    if (field.required && value === '') {
      throw new CertDeskError('CONFIG', `${field.name}: the ${type.label} connection needs it. Fill it in and deploy.`);
    }
    values[field.name] = value;
  }
  const tls = tlsOptions(RED, node.config);
  const proxy = proxySettings(RED, node.config);
  return type.connect({ values, statusMap: readStatusMap(node.config), tls, ...(proxy ? { proxy } : {}) }, services);
}

function connectionNode(RED: NodeAPI, config: Config): ConnectionNode | null {
  const node = RED.nodes.getNode(text(config, 'connection')) as ConnectionNode | null;
  return node?.config === undefined ? null : node;
}

function readStatusMap(config: Config): Record<string, TicketStatus> {
  const map: Record<string, TicketStatus> = {};
  for (const [native, value] of Object.entries(json(config, 'statusMap'))) {
    const status = TICKET_STATUSES.find(candidate => candidate === value);
    if (status === undefined) {
      throw new CertDeskError('CONFIG', `statusMap: "${native}" is given as none of ${TICKET_STATUSES.join(', ')}.`);
    }
    map[native] = status;
  }
  return map;
}

import type { HelpdeskType } from '../../lib/helpdesks/helpdesk';
import { asCertDeskError, CertDeskError } from '../../lib/model/errors';
import { REASONS, type Notification } from '../../lib/model/finding';
import type { TicketOverrides, TicketSettings } from '../../lib/tickets/settings';
import { choice, isRecord, json, text, type Config } from './config';

/** What the properties of a ticket node say. Throws CONFIG naming the property that is wrong. */
export function readTicketConfig(config: Config, type: HelpdeskType): TicketSettings {
  const target: Record<string, string> = {};
  for (const field of type.ticketFields) {
    const value = text(config, field.name, field.default);
    if (field.required && value === '') {
      throw new CertDeskError('CONFIG', `${field.name}: say where tickets go, in the node's dialog.`);
    }
    if (value !== '') target[field.name] = value;
  }
  return {
    priority: text(config, 'priority', 'High'),
    subject: text(config, 'subject'),
    body: text(config, 'body'),
    onCleared: choice(config, 'onCleared', ['comment', 'leave', 'resolve']),
    addResults: choice(config, 'addResults', ['always', 'changed']),
    target,
    fields: json(config, 'fields'),
    resolveFields: json(config, 'resolveFields'),
  };
}

/** What a message says beside its Finding: the policy's word, and `msg.ticket`. Throws BAD_MESSAGE. */
export function readOverrides(message: object): { notification?: Notification; overrides?: TicketOverrides } {
  const { notification, ticket } = message as { notification?: unknown; ticket?: unknown };
  if (notification !== undefined && !isNotification(notification)) {
    throw new CertDeskError(
      'BAD_MESSAGE',
      'msg.notification is not what Notification Policy sends. Pass it on unchanged.',
    );
  }
  if (ticket !== undefined && !isRecord(ticket)) {
    throw new CertDeskError('BAD_MESSAGE', 'msg.ticket is an object such as { queue: "Web", priority: "High" }.');
  }
  if (ticket === undefined) return notification === undefined ? {} : { notification };
  const { fields: _, resolveFields: __, priority: ___, ...rest } = ticket;
  const target = Object.keys(rest).map(name => [name, text(rest, name)] as const);
  const priority = text(ticket, 'priority');
  const fields = asBadMessage(() => json(ticket, 'fields'));
  const overrides: TicketOverrides = {
    target: Object.fromEntries(target.filter(([, value]) => value !== '')),
    ...(priority === '' ? {} : { priority }),
    ...(Object.keys(fields).length === 0 ? {} : { fields }),
  };
  return { overrides, ...(notification === undefined ? {} : { notification }) };
}

function asBadMessage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new CertDeskError('BAD_MESSAGE', `msg.ticket: ${asCertDeskError(error, 'BAD_MESSAGE').message}`);
  }
}

function isNotification(value: unknown): value is Notification {
  return isRecord(value) && (REASONS as readonly unknown[]).includes(value['reason']);
}

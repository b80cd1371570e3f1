/** How a ticket node treats its tickets; the properties of certdesk-ticket-<helpdesk> in docs/contract.md. */
export interface TicketSettings {
  priority: string;
  /** Mustache; empty = the standard text. */
  subject: string;
  body: string;
  onCleared: 'leave' | 'comment' | 'resolve';
  /** `changed`: results equal to those told last are not added again. */
  addResults: 'always' | 'changed';
  /** Where tickets go, by the names of the adapter's `ticketFields`. */
  target: Readonly<Record<string, string>>;
  /** Further native fields on create and on resolve; texts in them may be Mustache. */
  fields: Readonly<Record<string, unknown>>;
  resolveFields: Readonly<Record<string, unknown>>;
}

export const DEFAULT_TICKET_SETTINGS: Readonly<TicketSettings> = {
  priority: 'High',
  subject: '',
  body: '',
  onCleared: 'comment',
  addResults: 'always',
  target: {},
  fields: {},
  resolveFields: {},
};

/** What one message says instead (`msg.ticket`). */
export interface TicketOverrides {
  target?: Readonly<Record<string, string>>;
  priority?: string;
  fields?: Readonly<Record<string, unknown>>;
}

/** The settings for one message. Its fields are added to the node's, and win where both name one. */
export function withOverrides(settings: TicketSettings, overrides: TicketOverrides | undefined): TicketSettings {
  if (overrides === undefined) return settings;
  return {
    ...settings,
    priority: overrides.priority ?? settings.priority,
    target: { ...settings.target, ...overrides.target },
    fields: { ...settings.fields, ...overrides.fields },
  };
}

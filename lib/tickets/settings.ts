/** What a user can set about tickets; properties of certdesk-ticket-<helpdesk> in docs/contract.md. */
export interface TicketSettings {
  /** In words, `High` unless set; the adapter finds its helpdesk's value for it. */
  priority: string;
  /** Mustache; empty = the standard text. So is `body`. */
  subject: string;
  body: string;
  onCleared: 'leave' | 'comment' | 'resolve';
  addResults: 'always' | 'changed';
  /** Where tickets go, by the names of the adapter's `ticketFields`. */
  target: Readonly<Record<string, string>>;
  /** Further native fields on create and on resolve; text values may be Mustache. */
  fields: Readonly<Record<string, unknown>>;
  resolveFields: Readonly<Record<string, unknown>>;
}

/** `msg.ticket`: what one message sets for itself. */
export interface TicketOverrides {
  target?: Readonly<Record<string, string>>;
  priority?: string;
  fields?: Readonly<Record<string, unknown>>;
}

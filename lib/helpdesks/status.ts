import { TICKET_STATUSES, type TicketStatus } from '../model/ticket';

/**
 * What a native status means: the user's map first, then the adapter's known names, then the helpdesk's own category.
 * What none of them knows is `Unknown`, and the desk leaves such a ticket alone.
 * @param native name and, where the helpdesk has one, id of the status
 * @param category what the helpdesk itself says of it, where its API does
 */
export function understandStatus(
  native: { name: string; id?: string },
  maps: { user: Readonly<Record<string, TicketStatus>>; known: Readonly<Record<string, TicketStatus>> },
  category?: TicketStatus,
): TicketStatus {
  const name = native.name.trim().toLowerCase();
  return userStatus(maps.user, name, native.id) ?? own(maps.known, name) ?? category ?? 'Unknown';
}

function userStatus(
  map: Readonly<Record<string, TicketStatus>>,
  name: string,
  id: string | undefined,
): TicketStatus | undefined {
  const entry = Object.entries(map).find(([key]) => key === id || key.trim().toLowerCase() === name);
  return entry === undefined || !TICKET_STATUSES.includes(entry[1]) ? undefined : entry[1];
}

/** Status names come from outside: `constructor` is none of ours. */
function own(map: Readonly<Record<string, TicketStatus>>, name: string): TicketStatus | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

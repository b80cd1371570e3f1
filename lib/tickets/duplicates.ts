import type { Ticket } from '../helpdesks/helpdesk';
import { asCertDeskError } from '../model/errors';
import type { Job, Steps } from './steps';
import { duplicateNote } from './texts';
import { noteMarker } from './work';

/**
 * Closes tickets that a create without an answer made too many, each with a note that links the one that is kept.
 * Returns their numbers. What the helpdesk refuses to close is warned of; what may pass by itself is thrown.
 */
export async function closeDuplicates(
  steps: Steps,
  job: Job,
  kept: Ticket,
  others: readonly Ticket[],
  onWarning: (text: string) => void,
): Promise<string[]> {
  const closed: string[] = [];
  // Whoever finds the same duplicate again may have told it already.
  const careful: Job = { ...job, isFresh: false };
  for (const other of others) {
    await steps.note(careful, other, duplicateNote(kept), noteMarker('duplicate', other.id));
    try {
      await steps.resolve(careful, other);
      closed.push(other.number);
    } catch (thrown) {
      const error = asCertDeskError(thrown, 'PROTOCOL');
      if (error.isPassing) throw error;
      onWarning(`Ticket ${other.number} is a duplicate of ${kept.number} and could not be closed: ${error.message}`);
    }
  }
  return closed;
}

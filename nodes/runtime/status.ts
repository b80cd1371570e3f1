import type { Node, NodeStatus } from 'node-red';
import type { CertDeskError } from '../../lib/model/errors';

type Look = Pick<NodeStatus, 'fill' | 'shape'>;

/** Every look a CertDesk node can have; the text is a catalogue key or plain figures. */
const LOOKS = {
  busy: { fill: 'blue', shape: 'dot' },
  good: { fill: 'green', shape: 'dot' },
  idle: { fill: 'grey', shape: 'ring' },
  waiting: { fill: 'yellow', shape: 'ring' },
  bad: { fill: 'red', shape: 'dot' },
  refused: { fill: 'red', shape: 'ring' },
} as const satisfies Record<string, Look>;

export function show(node: Node, look: keyof typeof LOOKS, text: string): void {
  node.status({ ...LOOKS[look], text });
}

/** A refused run leaves the running one's status to that one. */
export function showError(node: Node, error: CertDeskError): void {
  if (error.code === 'BUSY') return;
  show(node, 'bad', error.code);
}

/** Bad settings: red at deploy, naming the field. */
export function showConfigError(node: Node, error: CertDeskError): void {
  show(node, 'refused', error.code);
  node.error(error.message);
}

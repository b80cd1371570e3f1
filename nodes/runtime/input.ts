import type { Node, NodeMessage, NodeMessageInFlow } from 'node-red';
import { asCertDeskError, type CertDeskError, type ErrorCode } from '../../lib/model/errors';
import { showError } from './status';

export type Send = (message: NodeMessage | (NodeMessage | NodeMessage[] | null)[]) => void;
export type Handler = (message: NodeMessageInFlow, send: Send) => void | Promise<void>;

/**
 * Listens to `input` so that every way through ends in one `done`: a rejected async handler would stop Node-RED.
 * An error turns the node red and goes to Catch nodes with `code` and `cause`. `unforeseen` is the code of what
 * was not thrown as a CertDeskError. After close nothing is sent.
 */
export function onInput(node: Node, unforeseen: ErrorCode, handle: Handler): void {
  let isClosed = false;
  node.on('close', () => {
    isClosed = true;
  });
  node.on('input', (message, send, done) => {
    const sendWhileOpen: Send = out => {
      if (!isClosed) send(out);
    };
    Promise.resolve()
      .then(() => handle(message, sendWhileOpen))
      .then(
        () => done(),
        (thrown: unknown) => {
          const error: CertDeskError = asCertDeskError(thrown, unforeseen);
          if (!isClosed) showError(node, error);
          done(error);
        },
      );
  });
}

/** Runs `close` when the node closes, and lets Node-RED wait for it; an error there is logged, never thrown. */
export function onClose(node: Node, close: (isRemoved: boolean) => void | Promise<void>): void {
  node.on('close', (isRemoved: boolean, done: () => void) => {
    void Promise.resolve()
      .then(() => close(isRemoved))
      .catch((error: unknown) => node.warn(error instanceof Error ? error.message : String(error)))
      .then(() => {
        node.status({});
        done();
      });
  });
}

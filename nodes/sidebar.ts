import type { NodeAPI } from 'node-red';

/** The sidebar lives in the editor (sidebar.html); the runtime only has to know that it exists. */
export = function register(RED: NodeAPI): void {
  RED.plugins.registerPlugin('certdesk-sidebar', { type: 'certdesk-sidebar' });
};

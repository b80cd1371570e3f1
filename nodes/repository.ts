import type { NodeAPI, NodeDef } from 'node-red';
import { asCertDeskError } from '../lib/model/errors';
import { registerAdminRoutes } from './runtime/admin-routes';
import { registerBackupRoutes } from './runtime/backup-routes';
import type { Config } from './runtime/config';
import { readRepositoryConfig, type RepositoryNode } from './runtime/repositories';
import { showConfigError } from './runtime/status';

/** certdesk-repository: where certificates, findings and tickets are kept. */
export = function register(RED: NodeAPI): void {
  function Repository(this: RepositoryNode, config: NodeDef): void {
    RED.nodes.createNode(this, config);
    try {
      this.certdesk = readRepositoryConfig(RED, config as unknown as Config, { ...this.credentials });
    } catch (error) {
      showConfigError(this, asCertDeskError(error, 'CONFIG'));
    }
  }
  RED.nodes.registerType('certdesk-repository', Repository, {
    credentials: { username: { type: 'text' }, password: { type: 'password' } },
  });
  registerAdminRoutes(RED);
  registerBackupRoutes(RED);
};

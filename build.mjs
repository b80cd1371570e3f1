// Compiles to dist/ and puts beside the compiled nodes what Node-RED looks for there: html, locales and icons.
// The nodes of each helpdesk are written from the one template and what its adapter declares.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const dist = (...parts) => join(root, 'dist', ...parts);

rmSync(dist(), { recursive: true, force: true });
execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});

for (const folder of ['nodes', 'lib']) copy(folder);
cpSync(join(root, 'icons'), dist('nodes', 'icons'), { recursive: true });

const { HELPDESKS } = require(dist('lib', 'helpdesks', 'index.js'));
const template = require(dist('nodes', 'templates', 'render-ticket.js'));
for (const type of HELPDESKS) {
  const set = `ticket-${type.name}`;
  const locales = dist('nodes', 'locales', 'en-US');
  mkdirSync(locales, { recursive: true });
  writeFileSync(
    dist('nodes', `${set}.js`),
    `'use strict';\nconst { helpdeskType } = require('../lib/helpdesks/index.js');\n` +
      `const { registerTicketNodes } = require('./templates/ticket.js');\n` +
      `module.exports = RED => registerTicketNodes(RED, helpdeskType('${type.name}'));\n`,
  );
  writeFileSync(dist('nodes', `${set}.html`), template.renderTicketHtml(type));
  writeFileSync(join(locales, `${set}.html`), template.renderTicketHelp(type));
  writeFileSync(join(locales, `${set}.json`), JSON.stringify(template.renderTicketLocale(type, 'en-US'), null, 2));
}

/** Everything in a source folder that is not TypeScript, at the same place in dist. */
function copy(folder) {
  for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.ts')) continue;
    const from = join(entry.parentPath, entry.name);
    cpSync(from, dist(from.slice(root.length + 1)));
  }
}

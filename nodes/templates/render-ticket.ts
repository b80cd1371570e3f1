import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Field, HelpdeskType } from '../../lib/helpdesks/helpdesk';

/** Texts of a select's options; what is not here is shown as it is. */
const OPTION_TEXTS: Readonly<Record<string, string>> = {
  token: 'Token',
  basic: 'User name and password',
  oauth: 'OAuth',
  apikey: 'API key',
};
const ICONS: Readonly<Record<Field['type'], string>> = {
  text: 'pencil',
  password: 'key',
  select: 'sliders',
  json: 'exchange',
  config: 'cog',
};

/** The dialogs of one helpdesk's ticket node and of its connection node, made from what the adapter declares. */
export function renderTicketHtml(type: HelpdeskType): string {
  const { connectionFields, ticketFields } = type;
  const hasConnection = connectionFields.length > 0;
  const secrets = connectionFields.filter(field => field.secret === true);
  const connection = { value: '', type: `certdesk-helpdesk-${type.name}`, required: true };
  return keepConnection(read('ticket.html'), hasConnection)
    .replaceAll('__NAME__', type.name)
    .replace('<!-- ticket fields -->', () =>
      [
        ...(hasConnection
          ? [
              renderRow(
                'node-input',
                'connection',
                'ticket.label.connection',
                'plug',
                input('node-input', 'connection'),
              ),
            ]
          : []),
        ...ticketFields.map(field => renderField('node-input', field)),
      ].join('\n    '),
    )
    .replace('/* ticket fields */', () =>
      [
        ...(hasConnection ? [`connection: ${JSON.stringify(connection)},`] : []),
        ...ticketFields.map(renderDefault),
      ].join('\n        '),
    )
    .replace('<!-- connection fields -->', () =>
      connectionFields.map(field => renderField('node-config-input', field)).join('\n    '),
    )
    .replace('/* connection fields */', () =>
      connectionFields
        .filter(field => field.secret !== true)
        .map(renderDefault)
        .join('\n        '),
    )
    .replace('/* secrets */', () => secrets.map(renderSecret).join('\n        '));
}

/** The catalogue of one helpdesk's node set: the common texts and those of its own fields. */
export function renderTicketLocale(type: HelpdeskType, lang: string): { ticket: Record<string, unknown> } {
  const fields = [...type.connectionFields, ...type.ticketFields];
  const source = read('locales', lang, 'ticket.json').replaceAll(
    '__helpdesk__',
    JSON.stringify(type.label).slice(1, -1),
  );
  const { ticket } = JSON.parse(source) as { ticket: Record<string, unknown> };
  const selects = fields.filter(field => field.type === 'select');
  return {
    ticket: {
      ...ticket,
      field: Object.fromEntries(fields.map(field => [field.name, field.label])),
      option: Object.fromEntries(
        selects.map(field => [
          field.name,
          Object.fromEntries((field.options ?? []).map(option => [option, OPTION_TEXTS[option] ?? option])),
        ]),
      ),
    },
  };
}

/** The help of one helpdesk's nodes, with a list of its own properties. */
export function renderTicketHelp(type: HelpdeskType): string {
  return keepConnection(read('locales', 'en-US', 'ticket.html'), type.connectionFields.length > 0)
    .replaceAll('__NAME__', type.name)
    .replaceAll('__LABEL__', escapeHtml(type.label))
    .replaceAll('__NOTES__', type.capabilities.canReadNotes ? 'exactly once' : 'at least once')
    .replace('<!-- ticket fields -->', () => type.ticketFields.map(renderFieldHelp).join('\n    '))
    .replace('<!-- connection fields -->', () => type.connectionFields.map(renderFieldHelp).join('\n    '));
}

/** Takes out what only helpdesks with a connection node have, or what only those without one have. */
function keepConnection(source: string, hasConnection: boolean): string {
  const [kept, dropped] = hasConnection ? ['connection', 'no connection'] : ['no connection', 'connection'];
  return source
    .replace(new RegExp(`^ *${mark(dropped)}\\n[^]*?${mark(`end of ${dropped}`)}\\n`, 'gm'), '')
    .replace(new RegExp(`^ *${mark(`(?:end of )?${kept}`)}\\n`, 'gm'), '');
}

/** A comment of HTML or JavaScript with nothing but `text`. */
function mark(text: string): string {
  return `(?:<!--|/\\*) ${text} (?:-->|\\*/)`;
}

function renderField(prefix: string, field: Field): string {
  return renderRow(prefix, field.name, `ticket.field.${field.name}`, ICONS[field.type], renderControl(prefix, field));
}

function renderRow(prefix: string, name: string, key: string, icon: string, control: string): string {
  return `<div class="form-row">
      <label for="${prefix}-${name}"><i class="fa fa-${icon}"></i> <span data-i18n="${key}"></span></label>
      ${control}
    </div>`;
}

function renderControl(prefix: string, field: Field): string {
  const id = `${prefix}-${field.name}`;
  if (field.type === 'json') {
    return `<textarea id="${id}" rows="2" spellcheck="false" style="width: calc(100% - 140px)" data-i18n="[placeholder]ticket.placeholder.json"></textarea>`;
  }
  if (field.type === 'select') {
    const options = (field.options ?? []).map(
      option =>
        `<option value="${escapeHtml(option)}" data-i18n="ticket.option.${field.name}.${escapeHtml(option)}"></option>`,
    );
    return `<select id="${id}" style="width: calc(100% - 140px)">${options.join('')}</select>`;
  }
  return input(prefix, field.name, field.type === 'password' ? 'password' : 'text');
}

function input(prefix: string, name: string, type = 'text'): string {
  return `<input type="${type}" id="${prefix}-${name}" style="width: calc(100% - 140px)" />`;
}

function renderDefault(field: Field): string {
  const value = JSON.stringify(field.default ?? '');
  const required = field.required === true;
  switch (field.type) {
    case 'config':
      return `${field.name}: { value: ${value}, type: ${JSON.stringify(field.configType)}, required: ${required} },`;
    case 'json':
      return `${field.name}: { value: ${value}, validate: jsonObject('ticket.field.${field.name}') },`;
    case 'select':
      return `${field.name}: { value: ${value}, required: true },`;
    case 'text':
    case 'password':
      return `${field.name}: { value: ${value}${required ? ', required: true' : ''} },`;
  }
}

function renderSecret(field: Field): string {
  return `${field.name}: { type: '${field.type === 'password' ? 'password' : 'text'}' },`;
}

function renderFieldHelp(field: Field): string {
  const kind = field.secret === true ? 'credential' : field.type === 'config' ? 'config node' : 'string';
  return `<dt${field.required === true ? '' : ' class="optional"'}>${escapeHtml(field.label)} <span class="property-type">${kind}</span></dt>
    <dd>${escapeHtml(field.help)} Property <code>${field.name}</code>.</dd>`;
}

function read(...path: string[]): string {
  return readFileSync(join(__dirname, ...path), 'utf8');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}

/** A ticket's searchable fields, names in lower case; custom fields as `cf.<name>`. */
export type Row = Readonly<Record<string, string>>;

/** In RT's own words. */
export class TicketSqlError extends Error {}

const TOKEN = /\s*(\(|\)|!=|=|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|CF\.\{[^}]*\}|[\w.]+)/y;
const INACTIVE = ['resolved', 'rejected', 'deleted'];

/**
 * Whether a row is meant by a query: the part of TicketSQL that has `=`, `!=`, `LIKE`, `AND`, `OR` and brackets
 * (https://docs.bestpractical.com/rt/5.0/query_builder.html). AND binds closer than OR; nothing minds case.
 */
export function selects(query: string): (row: Row) => boolean {
  const tokens = tokenize(query);
  let at = 0;
  const peek = (): string => tokens[at]?.toUpperCase() ?? '';
  const either = (): ((row: Row) => boolean) => {
    let left = both();
    while (peek() === 'OR') {
      at += 1;
      const [one, other] = [left, both()];
      left = row => one(row) || other(row);
    }
    return left;
  };
  const both = (): ((row: Row) => boolean) => {
    let left = condition();
    while (peek() === 'AND') {
      at += 1;
      const [one, other] = [left, condition()];
      left = row => one(row) && other(row);
    }
    return left;
  };
  const condition = (): ((row: Row) => boolean) => {
    if (peek() === '(') {
      at += 1;
      const inner = either();
      expect(')', 'CLOSE_PAREN');
      return inner;
    }
    const [field = '', operator = '', value = ''] = tokens.slice(at, at + 3);
    at += 3;
    if (value === '') throw wrong(query, 'VALUE', tokens[at - 1] ?? '');
    return compare(unquote(field), operator.toUpperCase(), unquote(value));
  };
  const expect = (token: string, name: string): void => {
    if (tokens[at] !== token) throw wrong(query, name, tokens[at] ?? '');
    at += 1;
  };
  const whole = either();
  if (at < tokens.length) throw wrong(query, 'AGGREGATOR', tokens[at] ?? '');
  return whole;
}

function compare(field: string, operator: string, value: string): (row: Row) => boolean {
  const name = field.replace(/^CF\.\{?(.*?)\}?$/i, 'cf.$1').toLowerCase();
  const wanted = value.toLowerCase();
  const of = (row: Row): string | undefined => row[name]?.toLowerCase();
  if (name === 'status' && wanted === '__inactive__') return row => INACTIVE.includes(of(row) ?? '');
  switch (operator) {
    case '=':
      return row => of(row) === wanted;
    case '!=':
      return row => of(row) !== wanted;
    case 'LIKE':
      return row => of(row)?.includes(wanted) === true;
    default:
      throw wrong(`${field} ${operator}`, 'OPERATOR', operator);
  }
}

function tokenize(query: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (let end = 0; end < query.trimEnd().length; end = TOKEN.lastIndex) {
    TOKEN.lastIndex = end;
    const token = TOKEN.exec(query)?.[1];
    // What is no token is refused where the parser meets it.
    tokens.push(token ?? query.slice(end).trim());
    if (token === undefined) break;
  }
  return tokens;
}

function unquote(token: string): string {
  return /^['"]/.test(token) ? token.slice(1, -1).replace(/\\(.)/g, '$1') : token;
}

function wrong(query: string, expected: string, found: string): TicketSqlError {
  const at = query.indexOf(found);
  const shown = `${query.slice(0, at)}>${query.slice(at)}<--here`;
  return new TicketSqlError(`Wrong query, expecting a ${expected} in '${shown}'\n`);
}

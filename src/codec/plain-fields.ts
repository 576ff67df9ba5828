// What do the headers of a message of HTTP say, when they can mean one thing only?

const FIELD = /([A-Za-z][A-Za-z0-9-]*): ?([!-~](?:[ -~]*[!-~])?|)\r\n/y;

/**
 * @param lines of headers, each with its end
 * @returns values by names in lower case; undefined unless all are of visible ASCII, and none stands twice
 */
export function plainFields(lines: string): Record<string, string> | undefined {
  const fields: Record<string, string> = {};
  FIELD.lastIndex = 0;
  for (let place = 0; place < lines.length; place = FIELD.lastIndex) {
    const field = FIELD.exec(lines);
    if (field === null) return undefined;
    const name = field[1]!.toLowerCase();
    if (name in fields) return undefined;
    fields[name] = field[2]!;
  }
  return fields;
}

/** Whether the headers leave the connection as it is. */
export function keepsConnection(fields: Readonly<Record<string, string>>): boolean {
  const said = fields['connection'];
  return said === undefined || said.toLowerCase() === 'keep-alive';
}

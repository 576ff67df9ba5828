// How is a body of JSON described? By JSON Schemas, which OpenAPI 3.1 takes as they are. They are strict: a field that is
// not named here is not served.

export interface JsonSchema {
  readonly type?: string | string[];
  readonly description?: string;
  readonly enum?: (string | number)[];
  readonly minimum?: number;
  readonly items?: JsonSchema;
  readonly maxItems?: number;
  readonly required?: string[];
  readonly properties?: Record<string, JsonSchema>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly oneOf?: JsonSchema[];
}

export const STRING: JsonSchema = { type: 'string' };
export const COUNT: JsonSchema = { type: 'integer', minimum: 0 };
export const BOOLEAN: JsonSchema = { type: 'boolean' };
export const ANYTHING: JsonSchema = {};

export function oneOfStrings(...choices: string[]): JsonSchema {
  return { type: 'string', enum: choices };
}

export function orNull(schema: JsonSchema & { readonly type: string }): JsonSchema {
  return { ...schema, type: [schema.type, 'null'] };
}

export function listOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

/** An object with names that are not known beforehand. */
export function mapOf(values: JsonSchema): JsonSchema {
  return { type: 'object', additionalProperties: values };
}

/** An object with exactly these fields; those whose names end in `?` may be missing. */
export function objectOf(fields: Readonly<Record<string, JsonSchema>>): JsonSchema & { readonly type: 'object' } {
  const names = Object.keys(fields);
  return {
    type: 'object',
    required: names.filter((name) => !name.endsWith('?')),
    properties: Object.fromEntries(names.map((name) => [name.replace(/\?$/, ''), fields[name]!])),
    additionalProperties: false,
  };
}

/** As `objectOf`, with the bytes of a value as `value` when they are UTF-8, else as `base64`. */
export function objectWithValue(fields: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return {
    ...objectOf({ ...fields, 'value?': STRING, 'base64?': STRING }),
    oneOf: [
      { required: ['value'], properties: { value: STRING } },
      { required: ['base64'], properties: { base64: STRING } },
    ],
  };
}

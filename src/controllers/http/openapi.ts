// How are the routes described? As plain OpenAPI operations beside their controllers, from these common pieces.

import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiParam, ApiQuery, type ApiOperationOptions } from '@nestjs/swagger';
import { PROBLEMS, type ProblemCode } from './problem.js';

type Responses = NonNullable<ApiOperationOptions['responses']>;
type Schema = {
  type: 'string' | 'integer' | 'boolean';
  enum?: string[];
  minimum?: number;
  maximum?: number;
  default?: unknown;
};

export interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly description: string;
  readonly schema: Schema;
  readonly example?: string;
}

export interface Operation extends ApiOperationOptions {
  readonly parameters?: never;
  readonly takes: readonly Parameter[];
}

/** The decorator of a route. */
export function Describe({ takes, ...operation }: Operation): MethodDecorator {
  return applyDecorators(ApiOperation(operation), ...takes.map(describeParameter));
}

function describeParameter({ in: place, ...parameter }: Parameter): MethodDecorator {
  if (place === 'path') return ApiParam({ ...parameter, required: true });
  if (place === 'query') return ApiQuery({ ...parameter, required: false });
  return ApiHeader({ ...parameter, required: false });
}

export function queryParameter(name: string, description: string, schema: Schema): Parameter {
  return { in: 'query', name, description, schema };
}

export function headerParameter(name: string, description: string): Parameter {
  return { in: 'header', name, description, schema: { type: 'string' } };
}

export const keyParameter: Parameter = {
  in: 'path',
  name: 'key',
  description: 'UTF-8 of 1 to 1024 bytes, one percent-encoded segment: `a/b` is `a%2Fb`',
  schema: { type: 'string' },
  example: 'greeting',
};

/** Responses that carry a problem body, by their codes; codes of one status share its entry. */
export function problems(...codes: ProblemCode[]): Responses {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) byStatus.set(PROBLEMS[code].status, [...(byStatus.get(PROBLEMS[code].status) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('\n\n'),
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  );
}

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'outcome'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(PROBLEMS) },
    outcome: { type: 'string', enum: ['definite', 'unknown'], description: 'whether the write may have happened' },
  },
};

export function json(description: string, example: object): Responses[string] {
  return { description, content: { 'application/json': { schema: { type: 'object' }, example } } };
}

export function text(description: string): Responses[string] {
  return { description, content: { 'text/plain': { schema: { type: 'string' } } } };
}

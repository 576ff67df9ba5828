// What does a replica tell of its interface? An OpenAPI document, made of what stands beside the controllers: `/docs` for
// people, `/openapi.json` and `/openapi.yaml` for tools.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { problems } from './openapi.js';
import { Problem } from './problem.js';
import { STRING } from './schema.js';
import { sendProblem } from './send-problem.js';

type PathItem = OpenAPIObject['paths'][string];
type OperationObject = NonNullable<PathItem['get']>;

const DESCRIPTION = `An eventually consistent key-value store: every replica takes reads and writes.

A path that is not listed here is answered with \`404 NO_SUCH_ROUTE\`, a method that a path does not list with
\`405 METHOD_NOT_ALLOWED\` and the methods that there are in \`Allow\`. Every problem has a body of type
\`application/problem+json\` with a stable \`code\`.`;

/** Serves the document; it is made when first asked for. */
export function serveDocument(app: INestApplication): void {
  // Since 3.1 schemas are JSON Schemas, as they stand.
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Quartet')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addSecurity('secret', { type: 'http', scheme: 'bearer', description: 'the cluster secret; replicas only' });
  const document = () => complete(SwaggerModule.createDocument(app, builder.build()));
  app.use(Object.keys(OWN_PATHS), refuseOtherMethods);
  SwaggerModule.setup('docs', app, document, { jsonDocumentUrl: 'openapi.json', yamlDocumentUrl: 'openapi.yaml' });
}

function refuseOtherMethods(req: IncomingMessage, res: ServerResponse, next: () => void): void {
  if (req.method === 'GET' || req.method === 'HEAD') return next();
  const detail = `${req.method} is not among GET, HEAD`;
  sendProblem(res, new Problem('METHOD_NOT_ALLOWED', detail, { Allow: 'GET, HEAD' }));
}

/** Adds what is served without a line in a controller: HEAD wherever there is GET, and the description itself. */
function complete(document: OpenAPIObject): OpenAPIObject {
  const paths = Object.entries({ ...document.paths, ...OWN_PATHS }).map(([path, item]) => [path, withHead(item)]);
  return { ...document, paths: Object.fromEntries(paths) as OpenAPIObject['paths'] };
}

function withHead(item: PathItem): PathItem {
  const { get } = item;
  if (get === undefined) return item;
  const responses = Object.entries(get.responses).map(([status, response]) => [status, withoutContent(response!)]);
  const head = {
    ...get,
    operationId: `${get.operationId}_head`,
    summary: `The headers of: ${get.summary}`,
    responses: Object.fromEntries(responses) as OperationObject['responses'],
  };
  return { ...item, head };
}

function withoutContent(response: object): object {
  const { content: _, ...rest } = response as { content?: unknown };
  return rest;
}

const OWN_PATHS: OpenAPIObject['paths'] = {
  '/docs': describes('docs', 'This interface, for people', 'text/html'),
  '/openapi.json': describes('openapi_json', 'This interface, for tools', 'application/json'),
  '/openapi.yaml': describes('openapi_yaml', 'The same as YAML', 'text/yaml'),
};

function describes(operationId: string, summary: string, type: string): PathItem {
  const schema = type === 'application/json' ? { type: 'object' } : STRING;
  const responses = { 200: { description: 'This document.', content: { [type]: { schema } } }, ...problems() };
  return { get: { operationId, summary, tags: ['description'], responses } };
}

// Does the OpenAPI document describe what is served, all of it and nothing else?
//
// Every route is asked with its own examples, with each thing about it made wrong, and at replicas in every condition:
// full, damaged, removed, stopped, overloaded. What a route's description says decides what it is asked, so a new route is
// covered by being described. What that leaves unseen is asked for by name, in `exchanges.ts`. Each answer must be as
// described, and in the end all that is described must have been seen.

import 'reflect-metadata';
import { Validator } from '@seriousme/openapi-schema-validator';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ChangesModule } from '../../src/controllers/changes/changes.module.js';
import { ControllersModule } from '../../src/controllers/controllers.module.js';
import { CONDITIONS } from '../support/conditions.js';
import { Description, type Described, type Document } from '../support/description.js';
import { contextOf, InProcessNode } from '../support/in-process-node.js';
import { RawClient, rawRequest } from '../support/raw-client.js';
import { Recorder } from '../support/recorder.js';
import { sampleOf, wrongRequests, type Sample } from '../support/sample.js';
import { COMPARISON, EXCHANGES, message, UNSEEN } from './exchanges.js';

/** Each of them asks every route, some at several replicas. */
jest.setTimeout(30_000);

/** So that a read finds what a write has left. */
const WRITES_FIRST = ['put', 'post', 'patch', 'get', 'head', 'delete'];

/** Served without a controller. */
const OWN_PATHS = ['/docs', '/openapi.json', '/openapi.yaml'];

let node: InProcessNode;
let document: Document;
let recorder: Recorder;
/** With the request that its examples make. */
let operations: readonly (Described & { readonly sample: Sample })[];

beforeAll(async () => {
  // The example of a member to remove; nothing listens there.
  node = await InProcessNode.start({ peers: [{ name: 'n4', url: 'http://127.0.0.1:1', isNamed: true }] });
  document = (await (await node.request('/openapi.json')).json()) as Document;
  recorder = new Recorder(new Description(document));
  operations = recorder.description.operations
    .map((described) => ({ ...described, sample: requestOf(described) }))
    .sort((left, right) => WRITES_FIRST.indexOf(left.method) - WRITES_FIRST.indexOf(right.method));
});
afterAll(() => node.remove());

/** A message between replicas is no text that could be an example. */
function requestOf(described: Described): Sample {
  if (described.path !== '/put_remote') return sampleOf(described);
  return { url: '/put_remote', options: message('n1', COMPARISON) };
}

function expectAsDescribed(): void {
  expect(recorder.takeFaults()).toEqual([]);
}

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(
      structuredClone(document) as object as Record<string, unknown>,
    );
    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });

  it('has exactly the routes of the controllers, a HEAD for every GET, and itself', () => {
    const listed = operations.filter(({ path }) => !OWN_PATHS.includes(path)).map(({ name }) => name);
    const routes = registeredRoutes();
    const heads = routes.filter((route) => route.startsWith('get ')).map((route) => route.replace('get', 'head'));
    expect(listed.sort()).toEqual([...new Set([...routes, ...heads])].sort());
    expect(OWN_PATHS.filter((path) => document.paths[path]?.['get'] === undefined)).toEqual([]);
  });

  it('has examples that are what their schemas say', () => {
    expect(recorder.description.wrongExamples()).toEqual([]);
  });
});

describe('a replica that is well', () => {
  it.each(Object.keys(EXCHANGES))('answers as described: %s', async (name) => {
    await EXCHANGES[name]!(recorder, node);
    expectAsDescribed();
  });

  it('answers every route as described when something about the request is wrong', async () => {
    const stranger = await InProcessNode.start({ name: 'n9' });
    const session = (await stranger.write('elsewhere', 'value')).session;
    await stranger.remove();
    const context = contextOf(await node.get('another key'));
    for (const described of operations) {
      for (const { url, options } of wrongRequests(described, { session, context })) {
        await recorder.ask(node, described.method, url, options);
      }
    }
    expectAsDescribed();
  });

  it('answers every route as described when the request is not HTTP, or too long', async () => {
    for (const described of operations) {
      const { url } = described.sample;
      const method = described.method.toUpperCase();
      await recorder.askRaw(node, described, `${method} ${url} HTTP/1.1\r\nno colon\r\n\r\n`);
      await recorder.askRaw(node, described, `${method} ${url} HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
      if (described.operation.requestBody === undefined) continue;
      const headers = { 'Content-Length': '99999999999', ...described.sample.options.headers };
      await recorder.askRaw(node, described, rawRequest(method, url, { headers }));
    }
    expectAsDescribed();
  });

  it('serves the examples of the document', async () => {
    for (const described of operations) {
      const { url, options } = described.sample;
      const { status, body } = await recorder.ask(node, described.method, url, options);
      // A deletion before it may have left nothing to read.
      expect(`${described.name}: ${status} ${status < 300 ? '' : body}`).toMatch(/: 2/);
    }
    expectAsDescribed();
  });
});

describe('a replica', () => {
  it.each(Object.keys(CONDITIONS))('%s answers every route as described', async (condition) => {
    const conditioned = await CONDITIONS[condition]!(async (each) => {
      for (const described of operations.filter(({ method }) => ['put', 'post', 'patch'].includes(method))) {
        const { url, options } = described.sample;
        await each.request(url, { ...options, method: described.method.toUpperCase() });
      }
    });
    try {
      // The description itself is the same in every condition, and slow to make.
      for (const described of operations.filter(({ path }) => !OWN_PATHS.includes(path))) {
        const { url, options } = described.sample;
        await recorder.ask(conditioned.node, described.method, url, options);
      }
      expectAsDescribed();
    } finally {
      await conditioned.remove();
    }
  });

  it('whose client is slow answers every route as described', async () => {
    const hasty = await InProcessNode.start({ requestTimeoutMs: 300 });
    try {
      await Promise.all(
        operations.map(async (described) => {
          const client = await RawClient.connect(hasty.port);
          client.send(`${described.method.toUpperCase()} ${described.sample.url} HTTP/1.1\r\nHost: quartet\r\nX-Unfin`);
          recorder.note(described, await client.response());
          client.leave();
        }),
      );
      expectAsDescribed();
    } finally {
      await hasty.remove();
    }
  });
});

describe('all that the document describes', () => {
  it('was seen, or stands in UNSEEN with a reason: add what is missing here to EXCHANGES in test/e2e/exchanges.ts', () => {
    const unseen = recorder.description.unseen();
    expect(unseen.filter((each) => !UNSEEN.some(([pattern]) => pattern.test(each)))).toEqual([]);
    const needless = UNSEEN.filter(([pattern]) => !unseen.some((each) => pattern.test(each)));
    expect(needless).toEqual([]);
  });
});

/** What Nest will register, by the decorators of the controllers; those for all other methods are refusals. */
function registeredRoutes(): readonly string[] {
  const options = { resolve: 'order' as const, clusterSecret: undefined, imports: [] };
  const { controllers = [] } = ControllersModule.of({
    ...options,
    valueBytesMax: 1,
    bodyBytesMax: 1,
    hasPeerPort: false,
    leaveMs: 0,
  });
  const { controllers: ofChanges = [] } = ChangesModule.of({ ...options, readersMax: 1 });
  return [...controllers, ...ofChanges].flatMap((controller) => {
    const prefix = pathsOf(controller)[0]!;
    const { prototype } = controller as { prototype: Record<string, object> };
    return Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const handler = prototype[name]!;
      const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
      if (method === undefined || method === RequestMethod.ALL) return [];
      return pathsOf(handler).map((path) => {
        const parts = [prefix, path].flatMap((part) => part.split('/')).filter((part) => part !== '');
        return `${RequestMethod[method].toLowerCase()} /${parts.join('/').replace(/:(\w+)/g, '{$1}')}`;
      });
    });
  });
}

function pathsOf(target: object): readonly string[] {
  return [Reflect.getMetadata(PATH_METADATA, target) as string | string[]].flat();
}

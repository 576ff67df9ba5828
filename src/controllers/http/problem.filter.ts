// The one filter: whatever a controller, the router or a layer below throws becomes a problem body.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { Problem } from './problem.js';
import { answerError } from './send-problem.js';

@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const problem = routingProblem(error, http.getRequest<IncomingMessage>());
    answerError(http.getResponse<ServerResponse>(), problem ?? error, this.logger);
  }
}

/** Errors of the router: an unknown path, a path parameter that it could not decode, or a file that it could not serve so. */
function routingProblem(error: unknown, req: IncomingMessage): Problem | undefined {
  if (error instanceof HttpException && error.getStatus() === 404) {
    return new Problem('NO_SUCH_ROUTE', `${req.method} ${req.url}: see /docs for what there is`);
  }
  const isBadEscape =
    error instanceof URIError || (error as { cause?: unknown } | undefined)?.cause instanceof URIError;
  if (isBadEscape || (error instanceof HttpException && error.getStatus() === 400)) {
    return new Problem('INVALID_KEY', `${req.url} is not percent-encoded UTF-8`);
  }
  // What serves the files of /docs has conditions and ranges of its own.
  if (error instanceof HttpException && error.getStatus() === 412) {
    return new Problem('PRECONDITION_FAILED', `${req.url} is in another state`);
  }
  if (error instanceof HttpException && error.getStatus() < 500) {
    return new Problem('INVALID_HEADER', `${req.url}: ${error.message}`);
  }
  return undefined;
}
